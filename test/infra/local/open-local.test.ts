import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { LOCAL_FEEDS, localPaths, maintainLocal, openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { inLocalDirectory, openStores } from '#test/support/local-stores.ts';

const text = (data: string) => ({ data: new TextEncoder().encode(data) });
const open = (directory: string) => openLocal({ directory, clock: systemScheduler.now });

/** SQLite leaves its log behind only for who is alone: any connection that was left open would be in the way. */
function expectUnused(path: string): void {
  const database = new DatabaseSync(path);
  try {
    expect(database.prepare('PRAGMA journal_mode = DELETE').get()).to.deep.include({
      journal_mode: 'delete',
    });
  } finally {
    database.close();
  }
}

describe('the local stores', () => {
  it("have a topic for producers and one that only the API publishes to, and neither shows the other's messages", () =>
    inLocalDirectory(async (directory) => {
      const stores = await openStores(directory);
      expect(stores.topic).to.equal(stores.topics.usage);
      await stores.topics.usage.publish([text('of a producer')]);
      await stores.topics.api.publish([text('of the API')]);
      for (const [feed, data] of [
        ['usage', 'of a producer'],
        ['api', 'of the API'],
      ] as const) {
        const messages = await stores.topics[feed].pull(10);
        expect(messages.map((message) => Buffer.from(message.data).toString())).to.deep.equal([data]);
      }
      await maintainLocal(stores, systemScheduler.now());
      await stores.close();
    }));

  it('trust the namespace attribute in the feed of the API alone', () => {
    expect(LOCAL_FEEDS.usage.rule).to.deep.equal({ kind: 'fixed', namespace: 'default' });
    expect(LOCAL_FEEDS.api.rule.kind).to.equal('attribute');
  });

  for (const store of ['topic', 'api topic', 'warehouse'] as const) {
    it(`leave nothing open when the ${store} cannot be opened: they open once it can`, () =>
      inLocalDirectory(async (directory) => {
        const paths = localPaths(directory);
        const place = {
          topic: paths.topics.usage,
          'api topic': paths.topics.api,
          warehouse: paths.warehouse,
        }[store];
        await mkdir(dirname(place), { recursive: true });
        await writeFile(place, 'a file where a directory should be');
        const error = await open(directory).catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(Error);
        expectUnused(paths.database);
        await rm(place);
        const stores = await open(directory);
        await stores.topics.api.publish([text('x')]);
        await stores.close();
      }));
  }
});
