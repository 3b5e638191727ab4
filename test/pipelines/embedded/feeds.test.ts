import { expect } from 'chai';
import { dayOf, dayStart, MICROS_PER_DAY } from '#domain/instant.ts';
import { archiveMeter } from '#infra/catalogue/archive-meter.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { listDeadLetters } from '#infra/usage/dead-letters.ts';
import { namespaceAttributes } from '#infra/usage/feed.ts';
import { lookupEvent } from '#infra/usage/lookup-event.ts';
import { readStatus } from '#infra/usage/read-status.ts';
import { readUsage } from '#infra/usage/read-usage.ts';
import { replayDeadLetters } from '#infra/usage/replay-dead-letters.ts';
import { eventually } from '#test/support/eventually.ts';
import { inLocalDirectory, openStores } from '#test/support/local-stores.ts';
import { startPipeline } from '#test/support/pipeline-process.ts';

const SOURCE = 'urn:test';
const NAMESPACES = ['default', 'tenant-a', 'tenant-b'];

const eventData = (id: string, tokens?: number): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({
      specversion: '1.0',
      id,
      source: SOURCE,
      type: 'use',
      subject: 'acme',
      data: { tokens },
    }),
  );

const drained = ({ topics }: LocalStores) =>
  eventually('both topics are drained', async () => {
    const backlogs = await Promise.all(Object.values(topics).map((topic) => topic.backlog()));
    return backlogs.every(({ messages }) => messages === 0);
  });

async function tokensOf({ database }: LocalStores, namespace: string): Promise<string | null | undefined> {
  const from = dayStart(dayOf(systemScheduler.now()) - 1);
  const range = { from, to: from + 3 * MICROS_PER_DAY, window: 'none', timezone: 'UTC' } as const;
  const { rows } = await readUsage(database, { namespace, meter: 'tokens', subjects: ['acme'], ...range });
  return rows[0]?.value;
}

describe('the feeds of a pipeline process', () => {
  it('count each namespace by itself; what is refused is found, replayed once it can be counted, and closed', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const stores = await openStores(directory);
      cleanup.defer(() => stores.close());
      const { database, topics } = stores;
      const now = systemScheduler.now;
      for (const namespace of NAMESPACES) {
        const definition = { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'tokens' } as const;
        await putMeter(database, { namespace, key: 'tokens', definition });
      }
      const pipeline = startPipeline({ directory, worker: 'one' });
      cleanup.defer(() => pipeline.kill());
      await topics.usage.publish([{ data: eventData('e-1', 1) }, { data: eventData('e-2', 2) }]);
      for (const [i, namespace] of NAMESPACES.entries()) {
        const attributes = namespaceAttributes(namespace);
        const messages = [{ data: eventData('e-3', 10 ** (i + 1)), attributes }];
        await topics.api.publish([...messages, ...messages]);
      }
      await topics.api.publish([{ data: eventData('late'), attributes: namespaceAttributes('tenant-a') }]);
      await drained(stores);
      expect(await Promise.all(NAMESPACES.map((namespace) => tokensOf(stores, namespace)))).to.deep.equal([
        '13',
        '100',
        '1000',
      ]);

      const lookUp = (id: string, namespace = 'tenant-a') =>
        lookupEvent(stores, { namespace, source: SOURCE, id, now: now() });
      const found = await lookUp('e-3');
      expect([found.state, found.cells.map(({ meter, value }) => [meter, value])]).to.deep.equal([
        'counted',
        [['tokens', '100']],
      ]);
      expect((await lookUp('e-1')).state).to.equal('unseen');
      expect((await lookUp('late')).deadLetters.map(({ reason }) => reason)).to.deep.equal(['value_missing']);

      const statusOf = () => readStatus({ database, topics, now: now() }, 'tenant-a');
      await eventually('the pipeline has been heard of', async () => (await statusOf()).feeds.length > 0);
      const status = await statusOf();
      expect(status.deadLetters).to.deep.equal([{ reason: 'value_missing', count: 1, more: false }]);
      expect(status.feeds.map(({ feed, backlog }) => [feed, backlog?.messages])).to.deep.equal([['api', 0]]);
      expect(status.heartbeatAgeMicros).to.be.below(60_000_000);

      const replay = () => replayDeadLetters({ database, topic: topics.api }, 'tenant-a', { matching: {} });
      expect(await replay()).to.deep.equal({ published: 1, leftAlone: [] });
      await drained(stores);
      const lettersIn = async (state: 'open' | 'replayed') =>
        (await listDeadLetters(database, 'tenant-a', { state, limit: 10 })).letters.map(({ feed }) => feed);
      expect(await lettersIn('open'), 'nothing was mended').to.deep.equal(['api']);
      await database.transact((tx) =>
        archiveMeter(tx, { namespace: 'tenant-a', key: 'tokens', now: systemScheduler.now() }),
      );
      await replay();
      await drained(stores);
      expect([await lettersIn('open'), await lettersIn('replayed')]).to.deep.equal([[], ['api']]);
      expect((await lookUp('late')).state).to.equal('unmatched');
      expect(await pipeline.stop(), pipeline.errorText()).to.deep.equal({ code: 0, signal: null });
    }));
});
