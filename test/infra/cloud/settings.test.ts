import { expect } from 'chai';
import { readBackend } from '#infra/cloud/backend.ts';
import { isOnEmulators, readCloudSettings } from '#infra/cloud/settings.ts';

const EMULATORS = {
  SPANNER_EMULATOR_HOST: '127.0.0.1:1',
  PUBSUB_EMULATOR_HOST: '127.0.0.1:2',
  BIGQUERY_EMULATOR_HOST: 'http://127.0.0.1:3',
  BIGQUERY_STORAGE_EMULATOR_HOST: '127.0.0.1:4',
};
const FEEDS = [
  { feed: 'orders', topic: 'orders', subscription: 'millrace', namespace: 'shop', sources: ['urn:shop:*'] },
  { feed: 'api', topic: 'ingest', subscription: 'millrace-api', namespaces: 'attribute' },
];
const PROJECT = {
  GOOGLE_CLOUD_PROJECT: 'billing-prod',
  MILLRACE_SPANNER_INSTANCE: 'main',
  MILLRACE_SPANNER_DATABASE: 'millrace',
  MILLRACE_BIGQUERY_DATASET: 'usage',
  MILLRACE_API_TOPIC: 'ingest',
  MILLRACE_FEEDS: JSON.stringify(FEEDS),
};

describe('the settings of the Google Cloud backing', () => {
  it('have a default for every name where all three are emulators, and for none where they are not', () => {
    const settings = readCloudSettings(EMULATORS);
    expect(isOnEmulators(settings)).to.equal(true);
    expect(settings.pubsub.feeds.map(({ feed }) => feed)).to.deep.equal(['usage', 'api']);
    expect(settings.bigquery.emulator).to.deep.equal({
      rest: 'http://127.0.0.1:3',
      grpcHost: '127.0.0.1',
      grpcPort: 4,
    });
    const missing = (): unknown => readCloudSettings({ PATH: '/bin', MILLRACE_PROJECT: '' });
    for (const variable of [
      'MILLRACE_PROJECT',
      'MILLRACE_SPANNER_INSTANCE',
      'MILLRACE_SPANNER_DATABASE',
      'MILLRACE_BIGQUERY_DATASET',
      'MILLRACE_API_TOPIC',
      'MILLRACE_FEEDS',
    ])
      expect(missing).to.throw(variable);
  });

  it('read a project with its feeds, each with the rule that tells whose its messages are', () => {
    const { projectId, pubsub, ...settings } = readCloudSettings(PROJECT);
    expect([projectId, isOnEmulators({ projectId, pubsub, ...settings })]).to.deep.equal([
      'billing-prod',
      false,
    ]);
    expect(pubsub.feeds.map(({ rule }) => rule)).to.deep.equal([
      { kind: 'fixed', namespace: 'shop', sources: ['urn:shop:*'] },
      { kind: 'attribute', strays: 'default' },
    ]);
    expect(pubsub.apiFeed.feed).to.equal('api');
    expect(readCloudSettings({ ...PROJECT, MILLRACE_PROJECT: 'another' }).projectId).to.equal('another');
  });

  it('refuse what could lose events or mix stores, and say which variable it is', () => {
    const withFeeds =
      (...feeds: readonly object[]) =>
      () =>
        readCloudSettings({ ...PROJECT, MILLRACE_FEEDS: JSON.stringify(feeds) });
    expect(withFeeds(FEEDS[0]!)).to.throw('MILLRACE_FEEDS has no feed');
    expect(withFeeds(...FEEDS, FEEDS[1]!)).to.throw('more than once');
    expect(withFeeds({ ...FEEDS[0], namespaces: 'attribute' }, FEEDS[1]!)).to.throw('one of `namespace`');
    expect(withFeeds({ ...FEEDS[0], source: 'x' }, FEEDS[1]!)).to.throw('source');
    expect(() => readCloudSettings({ ...PROJECT, MILLRACE_FEEDS: '{' })).to.throw('is no JSON');
    const { PUBSUB_EMULATOR_HOST: _, ...two } = EMULATORS;
    expect(() => readCloudSettings({ ...PROJECT, ...two })).to.throw('PUBSUB_EMULATOR_HOST is missing');
    const { BIGQUERY_STORAGE_EMULATOR_HOST: __, ...noAppends } = EMULATORS;
    expect(() => readCloudSettings(noAppends)).to.throw('BIGQUERY_STORAGE_EMULATOR_HOST is missing');
  });

  it('are asked for only where the backing is Google Cloud', () => {
    expect([readBackend({}), readBackend({ MILLRACE_BACKEND: '' })]).to.deep.equal(['embedded', 'embedded']);
    expect(readBackend({ MILLRACE_BACKEND: 'gcp' })).to.equal('gcp');
    expect(() => readBackend({ MILLRACE_BACKEND: 'aws' })).to.throw('MILLRACE_BACKEND');
  });
});
