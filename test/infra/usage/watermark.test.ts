import { expect } from 'chai';
import { noTopicFaults } from '#infra/topic/hostile/hostile-topic.ts';
import { watermark } from '#infra/usage/tables.ts';
import {
  readFeeds,
  readFreshness,
  storeWatermark,
  storeWatermarks,
  type FeedName,
} from '#infra/usage/watermark.ts';
import { FEED, NAMESPACE, NOON, openStores } from './usage-fixture.ts';
import type { Stores } from './usage-fixture.ts';

const MINUTE = 60_000_000;
const text = { data: new TextEncoder().encode('{}') };
const feed: FeedName = { feed: FEED, worker: 'one', namespace: NAMESPACE, latenessMicros: 10 * MINUTE };

function open(stores: Stores, subscription = 'pipeline') {
  const topic = stores.topic.open(subscription);
  return { topic, store: (of = feed) => storeWatermark({ database: stores.database, topic }, of) };
}

describe('the watermark of a feed', () => {
  it('is the publish time of the oldest message that is not acknowledged', async () => {
    const stores = await openStores();
    const { topic, store } = open(stores);
    await topic.publish([text]);
    stores.clock.now = NOON + MINUTE;
    await topic.publish([text]);
    stores.clock.now = NOON + 2 * MINUTE;
    const [first] = (await topic.pull(2)).toSorted((a, b) => a.publishTime - b.publishTime);
    expect(await store()).to.equal(NOON);
    await topic.ack([first!.ackId]);
    expect(await store()).to.equal(NOON + MINUTE);
    expect(stores.database.rows(watermark)).to.deep.equal([
      { ...feed, committedThrough: NOON + MINUTE, heartbeatAt: NOON + 2 * MINUTE },
    ]);
  });

  it('is the time of looking when everything is acknowledged, so that it moves with a heartbeat', async () => {
    const stores = await openStores();
    const { store } = open(stores);
    stores.clock.now = NOON + MINUTE;
    expect(await store()).to.equal(NOON + MINUTE);
  });

  it('stays where it is while the topic cannot tell', async () => {
    const stores = await openStores();
    const { store } = open(stores);
    await store();
    stores.clock.now = NOON + MINUTE;
    stores.topic.setFaults({ ...noTopicFaults, unknownOldest: 1 });
    expect(await store()).to.equal(undefined);
    expect(await readFreshness(stores.database, NAMESPACE)).to.deep.equal({
      asOf: NOON,
      completeThrough: NOON - 10 * MINUTE,
    });
  });
});

describe('the freshness of a namespace', () => {
  it('is the least over its feeds, each with its own lateness, and no other namespace counts', async () => {
    const stores = await openStores();
    const { store } = open(stores);
    await store();
    stores.clock.now = NOON + MINUTE;
    await store({ ...feed, feed: 'other/pipeline', latenessMicros: 60 * MINUTE });
    await store({ ...feed, feed: 'third/pipeline', namespace: 'sandbox', latenessMicros: 90 * MINUTE });
    expect(await readFreshness(stores.database, NAMESPACE)).to.deep.equal({
      asOf: NOON,
      completeThrough: NOON - 59 * MINUTE,
    });
  });

  it('waits for a feed that brings events of every namespace, as every other namespace does', async () => {
    const stores = await openStores();
    const shared = { ...feed, feed: 'shared/pipeline', namespace: null };
    await open(stores).store(shared);
    stores.clock.now = NOON + MINUTE;
    await open(stores).store();
    const least = { asOf: NOON, completeThrough: NOON - 10 * MINUTE };
    expect(await readFreshness(stores.database, NAMESPACE)).to.deep.equal(least);
    expect(await readFreshness(stores.database, 'sandbox')).to.deep.equal(least);
  });

  it('never seems further for want of a feed that has not reported yet: those of a process report together or not at all', async () => {
    const stores = await openStores();
    const own = { ...feed, topic: stores.topic.open('pipeline') };
    const silent = { oldestUnacknowledged: () => Promise.resolve('unknown' as const) };
    const shared = { ...feed, feed: 'shared/pipeline', namespace: null, topic: silent };
    expect(await storeWatermarks(stores.database, [own, shared])).to.equal(undefined);
    expect(await readFreshness(stores.database, NAMESPACE)).to.equal(undefined);
    const late = { oldestUnacknowledged: () => Promise.resolve({ at: NOON, oldest: NOON - MINUTE }) };
    expect(await storeWatermarks(stores.database, [own, { ...shared, topic: late }])).to.equal(NOON - MINUTE);
    expect((await readFreshness(stores.database, NAMESPACE))?.asOf).to.equal(NOON - MINUTE);
  });

  it('is that of the worker that is furthest, and the heartbeat that of the last one heard of', async () => {
    const stores = await openStores();
    const { store } = open(stores);
    await store({ ...feed, worker: 'dead' });
    await stores.database.transact(async (tx) =>
      tx.upsert(watermark, {
        ...feed,
        worker: 'slow',
        committedThrough: NOON - MINUTE,
        heartbeatAt: NOON + MINUTE,
      }),
    );
    const [seen] = await readFeeds(stores.database);
    expect(seen).to.include({ committedThrough: NOON, heartbeatAt: NOON + MINUTE });
  });

  it('is unknown before a feed has reported', async () => {
    const stores = await openStores();
    expect(await readFreshness(stores.database, NAMESPACE)).to.equal(undefined);
  });
});
