import { expect } from 'chai';
import { COUNTED_MAX, readStatus } from '#infra/usage/read-status.ts';
import { appendParked, deadLetter } from '#infra/usage/tables.ts';
import { storeWatermarks } from '#infra/usage/watermark.ts';
import { deadLetterRow } from '#infra/usage/dead-letter-row.ts';
import { commit, delivery, NAMESPACE, NOON, openStores, SUM_METER } from './usage-fixture.ts';
import type { Stores } from './usage-fixture.ts';

const SECOND = 1_000_000;
const HOUR = 3_600 * SECOND;
const backlog = (messages: number, oldest?: number) => ({
  backlog: () => Promise.resolve({ messages, ...(oldest === undefined ? {} : { oldest }) }),
});

async function openWatched(): Promise<Stores> {
  const stores = await openStores(SUM_METER);
  const topic = stores.topic.open('pipeline');
  const feed = { worker: 'one', latenessMicros: HOUR, topic };
  const older = { oldestUnacknowledged: () => Promise.resolve({ at: NOON, oldest: NOON - SECOND }) };
  await storeWatermarks(stores.database, [
    { ...feed, feed: 'usage', namespace: NAMESPACE },
    { ...feed, feed: 'api', namespace: null, topic: older },
    { ...feed, feed: 'foreign', namespace: 'sandbox' },
  ]);
  return stores;
}

const status = ({ database }: Stores, topics = {}, namespace = NAMESPACE) =>
  readStatus({ database, topics, now: NOON + 5 * SECOND }, namespace);

describe('the status of a namespace', () => {
  it('tells how far it is, what waits in each of its feeds, and how long ago a pipeline was heard of', async () => {
    const stores = await openWatched();
    const topics = { usage: backlog(0), api: backlog(7, NOON - SECOND), foreign: backlog(99) };
    const seen = await status(stores, topics);
    expect(seen).to.deep.equal({
      freshness: { asOf: NOON - SECOND, completeThrough: NOON - SECOND - HOUR },
      feeds: [
        {
          feed: 'api',
          isShared: true,
          committedThrough: NOON - SECOND,
          backlog: { messages: 7, oldestUnacknowledged: NOON - SECOND },
        },
        {
          feed: 'usage',
          isShared: false,
          committedThrough: NOON,
          backlog: { messages: 0, oldestUnacknowledged: null },
        },
      ],
      deadLetters: [],
      parkedAppends: { count: 0, more: false },
      heartbeatAgeMicros: 5 * SECOND,
    });
  });

  it('leaves out the backlog of a topic that is out of order, or not at hand', async () => {
    const broken = { backlog: () => Promise.reject(new Error('the topic is down')) };
    const { feeds } = await status(await openWatched(), { usage: broken });
    expect(feeds.map((feed) => 'backlog' in feed)).to.deep.equal([false, false]);
  });

  it('counts open dead letters by reason and parked rows, of this namespace and up to a bound', async () => {
    const stores = await openWatched();
    await commit(stores, [delivery({ data: { v: 'many' } }), delivery({ id: 'e-2', data: { v: 'more' } })]);
    const refusal = { reason: 'too_old', detail: 'long ago' } as const;
    const row = deadLetterRow({ feed: 'usage', receivedAt: NOON }, { delivery: delivery(), refusal });
    await stores.database.transact(async (tx) => {
      for (let i = 0; i <= COUNTED_MAX; i++) tx.insert(deadLetter, { ...row, messageId: `old-${i}` });
      tx.insert(deadLetter, { ...row, messageId: 'closed', state: 'dismissed' });
      tx.insert(deadLetter, { ...row, messageId: 'foreign', namespace: 'sandbox', reason: 'too_deep' });
      const parked = { subject: 'acme', row: {}, error: 'no', parkedAt: NOON };
      tx.insert(appendParked, { ...parked, identity: 'a'.repeat(16), namespace: NAMESPACE });
      tx.insert(appendParked, { ...parked, identity: 'b'.repeat(16), namespace: 'sandbox' });
    });
    const { deadLetters, parkedAppends } = await status(stores);
    expect(deadLetters).to.deep.equal([
      { reason: 'value_not_a_number', count: 2, more: false },
      { reason: 'too_old', count: COUNTED_MAX, more: true },
    ]);
    expect(parkedAppends).to.deep.equal({ count: 1, more: false });
  });

  it('knows nothing of freshness while no feed has reported', async () => {
    const seen = await status(await openStores(SUM_METER));
    expect([seen.freshness, seen.feeds, seen.heartbeatAgeMicros]).to.deep.equal([undefined, [], undefined]);
  });
});
