import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { API_VARIABLES } from '#api/settings.ts';
import { backendVariables } from '#infra/cloud/backend.ts';
import { readCloudSettings, cloudVariables } from '#infra/cloud/settings.ts';
import { workerVariables } from '#pipelines/fleet/settings.ts';
import { dataflowVariables } from '#pipelines/portable/dataflow/settings.ts';
import { RETENTION_SECONDS, RETRY_POLICY } from '#infra/topic/pubsub/provision.ts';
import { ROOT } from './dockerfile.ts';

const run = readFileSync(join(ROOT, 'terraform/modules/platform/run.tf'), 'utf8');
const namesIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/(?<!\w)(MILLRACE_\w+) +=/g)].map(([, name = '']) => name)),
];
/** The settings that Terraform gives to what runs, by their names. */
const given = namesIn(run);

describe('the settings that Terraform gives to what runs', () => {
  it('are all known to the programs', () => {
    const known = [
      ...Object.keys(cloudVariables.shape),
      ...Object.keys(backendVariables.shape),
      ...Object.keys(workerVariables.shape),
      ...Object.values(API_VARIABLES),
    ];
    expect(given).to.include.members(['MILLRACE_BACKEND', 'MILLRACE_FEEDS']);
    expect(given.filter((name) => !known.includes(name))).to.deep.equal([]);
  });

  it('are all that a program needs', () => {
    const optional = (name: string): boolean =>
      cloudVariables.shape[name as keyof typeof cloudVariables.shape].safeParse(undefined).success;
    const needed = Object.keys(cloudVariables.shape).filter((name) => !optional(name));
    expect(needed.filter((name) => !given.includes(name))).to.deep.equal([]);
  });

  /** What `terraform/modules/platform/tests` holds the settings to be, word for word. */
  it('are taken as Terraform writes them', () => {
    const settings = readCloudSettings({
      MILLRACE_PROJECT: 'acme-usage',
      MILLRACE_SPANNER_INSTANCE: 'millrace',
      MILLRACE_SPANNER_DATABASE: 'millrace',
      MILLRACE_BIGQUERY_DATASET: 'millrace',
      MILLRACE_BIGQUERY_LOCATION: 'europe-west1',
      MILLRACE_API_TOPIC: 'millrace-api',
      MILLRACE_ACK_DEADLINE_SECONDS: '60',
      MILLRACE_FEEDS: JSON.stringify([
        { feed: 'api', namespaces: 'attribute', subscription: 'millrace-api-worker', topic: 'millrace-api' },
        {
          feed: 'chat',
          namespace: 'default',
          sources: ['urn:svc:chat'],
          subscription: 'millrace-chat-worker',
          topic: 'millrace-chat',
        },
      ]),
    });
    expect(settings.pubsub.apiFeed.subscription).to.equal('millrace-api-worker');
    expect(settings.pubsub.feeds[1]?.rule).to.deep.equal({
      kind: 'fixed',
      namespace: 'default',
      sources: ['urn:svc:chat'],
    });
  });

  it('go with subscriptions like those that emulators are given', () => {
    const feed = readFileSync(join(ROOT, 'terraform/modules/pubsub/main.tf'), 'utf8');
    const worker = /resource "google_pubsub_subscription" "worker" \{[^]*?\n\}/.exec(feed)?.[0] ?? '';
    expect(feed).to.include(`retention = "\${${RETENTION_SECONDS / 86_400} * 86400}s"`);
    expect(worker).to.include(`minimum_backoff = "${RETRY_POLICY.minimumSeconds}s"`);
    expect(worker).to.include(`maximum_backoff = "${RETRY_POLICY.maximumSeconds}s"`);
  });
});

describe('the settings that Terraform tells whoever launches jobs on Dataflow', () => {
  const told = namesIn(readFileSync(join(ROOT, 'terraform/modules/platform/outputs.tf'), 'utf8'));
  const { shape } = dataflowVariables;
  const isOptional = (name: string): boolean =>
    shape[name as keyof typeof shape].safeParse(undefined).success;

  it('are all known to the launcher, and all that it needs but the image', () => {
    expect(told.filter((name) => !(name in shape))).to.deep.equal([]);
    const needed = Object.keys(shape).filter((name) => !isOptional(name));
    expect(needed.filter((name) => !told.includes(name))).to.deep.equal(['MILLRACE_DATAFLOW_IMAGE']);
  });

  /** What `terraform/modules/platform/tests` holds them to be, word for word. */
  it('are taken as Terraform writes them', () => {
    const parsed = z
      .object(shape)
      .omit({ MILLRACE_DATAFLOW_IMAGE: true })
      .parse({
        MILLRACE_DATAFLOW_REGION: 'europe-west1',
        MILLRACE_DATAFLOW_STAGING: 'gs://acme-usage-millrace-dataflow/staging',
        MILLRACE_DATAFLOW_TEMP: 'gs://acme-usage-millrace-dataflow/temp',
        MILLRACE_DATAFLOW_SERVICE_ACCOUNT: 'millrace-dataflow@acme-usage.iam.gserviceaccount.com',
        MILLRACE_DATAFLOW_SUBNETWORK:
          'projects/acme-usage/regions/europe-west1/subnetworks/millrace-europe-west1',
        MILLRACE_DATAFLOW_LABELS: JSON.stringify({
          application: 'millrace',
          component: 'dataflow',
          environment: 'test',
        }),
      });
    expect(parsed.MILLRACE_DATAFLOW_LABELS['component']).to.equal('dataflow');
  });
});
