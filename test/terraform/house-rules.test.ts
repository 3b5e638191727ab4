import { expect } from 'chai';
import { topBlocks, type TopBlock } from '../../terraform/check/hcl-blocks.ts';
import { labelFaults, publicFaults, roleFaults, secretFaults } from '../../terraform/check/house-rules.ts';
import type { ProviderSchema } from '../../terraform/offline-provider/schema.ts';

const labels = { type: ['map', 'string'], is: 'o' } as const;
const schema: ProviderSchema = {
  origin: { package: '', provider: '', licence: '' },
  provider: { attributes: {}, blocks: {} },
  resources: {
    google_pubsub_topic: { attributes: { labels }, blocks: {} },
    google_monitoring_notification_channel: { attributes: { labels, user_labels: labels }, blocks: {} },
    google_kms_key_ring: { attributes: {}, blocks: {} },
  },
  dataSources: {},
};

const block = (text: string): TopBlock => topBlocks(text)[0]!;

describe('house rules of configurations', () => {
  it('find a resource that could have labels and has none', () => {
    const topic = (body: string) => block(`resource "google_pubsub_topic" "this" {\n${body}\n}`);
    expect(labelFaults(schema, topic('  name = "t"'))).to.deep.equal(['has no labels']);
    expect(labelFaults(schema, topic('  labels = var.labels'))).to.deep.equal([]);
    const channel = 'resource "google_monitoring_notification_channel" "email" {\n  labels = { a = 1 }\n}';
    expect(labelFaults(schema, block(channel))).to.deep.equal(['has no user_labels']);
    expect(labelFaults(schema, block('resource "google_kms_key_ring" "this" {\n}'))).to.deep.equal([]);
  });

  it('find primitive roles', () => {
    const granting = (role: string) =>
      block(`resource "google_project_iam_member" "x" {\n  role = "${role}"\n}`);
    expect(roleFaults(granting('roles/editor'), 'modules/iam')).to.deep.equal(['gives roles/editor']);
    expect(roleFaults(granting('roles/monitoring.viewer'), 'modules/iam')).to.deep.equal([]);
  });

  it('find what is open to everybody, and let the API be where that is chosen', () => {
    const open = (name: string) =>
      block(`resource "google_cloud_run_v2_service_iam_member" "${name}" {\n  member = "allUsers"\n}`);
    expect(publicFaults(open('public'), 'modules/api')).to.deep.equal([]);
    expect(publicFaults(open('other'), 'modules/api')).to.deep.equal(['is open to everybody']);
    expect(publicFaults(open('public'), 'modules/pubsub')).to.deep.equal(['is open to everybody']);
  });

  it('find what would put a secret into the state', () => {
    const version = block('resource "google_secret_manager_secret_version" "x" {\n}');
    expect(secretFaults(version, 'modules/secrets')).to.have.length(1);
    expect(secretFaults(block('resource "google_secret_manager_secret" "x" {\n}'), 'm')).to.deep.equal([]);
  });
});
