import { expect } from 'chai';
import { dayOf, MICROS_PER_DAY } from '#domain/instant.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { catalogue, CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import { ENTITLEMENT_TABLES } from '#infra/entitlements/tables.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import { namespaceAttributes } from '#infra/usage/feed.ts';
import { readFreshness } from '#infra/usage/watermark.ts';
import { deadLetter, event, USAGE_TABLES, usageDay, watermark } from '#infra/usage/tables.ts';
import { noWarehouseFaults, openHostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import { createEmbeddedRunner } from '#pipelines/embedded/runner.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import { usageRuntimes } from '#pipelines/usage/runtime.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';
import { createVirtualTime } from '../runner/virtual-time.ts';

const NAMESPACE = 'default';
const FEED = 'events/pipeline';
const SUBSCRIPTION = 'pipeline';
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const ACK_DEADLINE_SECONDS = 60;

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
let runners = 0;

const API_FEED = 'api/pipeline';

/** A runner on hostile drivers, in a time of its own, with a feed of one namespace and one of all. It begins to run at once. */
async function openRunner() {
  const time = createVirtualTime();
  const { schedule, scheduler } = time;
  const database = openHostile({
    tables: [...USAGE_TABLES, ...CATALOGUE_TABLES, ...ENTITLEMENT_TABLES],
    schedule,
    faults: noFaults,
  });
  const warehouse = openHostileWarehouse({ schedule, faults: noWarehouseFaults });
  const topic = openHostileTopic({
    schedule,
    faults: noTopicFaults,
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
  });
  await putMeter(database, {
    namespace: NAMESPACE,
    key: 'calls',
    definition: { name: 'Calls', eventType: 'use', aggregation: 'count' },
  });
  const commit = {
    database,
    catalogues: createCatalogues(database),
    feed: FEED,
    slot: 0,
    clock: scheduler.now,
  };
  const runtime = {
    commit,
    namespaces: { kind: 'fixed', namespace: NAMESPACE } as const,
    topic: topic.open(SUBSCRIPTION),
    warehouse,
    counters: emptyCounters(),
  };
  const apiTopic = openHostileTopic({
    schedule,
    faults: noTopicFaults,
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
  });
  const api = {
    ...runtime,
    commit: { ...commit, feed: API_FEED },
    namespaces: { kind: 'attribute', strays: NAMESPACE } as const,
    topic: apiTopic.open(SUBSCRIPTION),
  };
  const name = `runner-${++runners}`;
  const options = {
    name,
    runtimes: [runtime, api],
    worker: 'one',
    latenessMicros: 0,
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
    scheduler,
    log: silent,
  };
  const stopping = new AbortController();
  const running = createEmbeddedRunner(options).run(stopping.signal);

  /** Publishes `count` events of that name, which happened so long ago. */
  const publish = (
    prefix: string,
    count: number,
    { subject = 'acme', ageMicros = 0, namespace = '' } = {},
  ) => {
    const at = new Date((scheduler.now() - ageMicros) / 1_000).toISOString();
    const events = Array.from({ length: count }, (_, i) => ({
      specversion: '1.0',
      id: `${prefix}-${i}`,
      source: 'urn:s',
      type: 'use',
      subject,
      time: at,
    }));
    const messages = events.map((each) => ({ data: new TextEncoder().encode(JSON.stringify(each)) }));
    if (namespace === '') return runtime.topic.publish(messages);
    const attributes = namespaceAttributes(namespace);
    return api.topic.publish(messages.map((message) => ({ ...message, attributes })));
  };
  const stop = async (): Promise<void> => {
    stopping.abort();
    // Whatever the runner still waits for, it gets.
    await Promise.race([
      running,
      time.pass(MINUTE_MS).then(() => Promise.reject(new Error('the runner did not stop within a minute'))),
    ]);
  };
  return {
    ...{ time, database, warehouse, topic, apiTopic, runtime, name, publish, stop },
    committed: () => database.rows(event).length,
    deadLetters: () => database.rows(deadLetter).map(({ reason }) => reason),
    appended: () => new Set(warehouse.rows('events').map((row) => row['id'])).size,
    unacknowledged: () => topic.fates(SUBSCRIPTION).filter(({ acknowledged }) => !acknowledged).length,
    committedThrough: () => database.rows(watermark).find(({ feed }) => feed === FEED)?.committedThrough ?? 0,
  };
}

describe('the embedded runner', () => {
  it('commits, appends and acknowledges what is published, and moves the watermark', async () => {
    const runner = await openRunner();
    await runner.publish('e', 20);
    await runner.time.pass(SECOND_MS);
    expect([runner.committed(), runner.appended(), runner.unacknowledged()]).to.deep.equal([20, 20, 0]);
    expect(runner.committedThrough()).to.be.above(SIMULATION_START);
    expect(runner.runtime.counters).to.include({
      accepted_total: 20,
      acknowledged_total: 20,
      appended_rows_total: 20,
    });
    await runner.stop();
  });

  it('moves the watermark of an idle topic by heartbeats, which are neither events nor dead letters', async () => {
    const runner = await openRunner();
    await runner.time.pass(5 * MINUTE_MS);
    expect(runner.runtime.counters.heartbeat_total).to.be.at.least(9);
    expect(runner.committedThrough()).to.be.at.least(SIMULATION_START + 4 * MINUTE_MS * 1_000);
    expect([runner.committed(), runner.deadLetters().length, runner.unacknowledged()]).to.deep.equal([
      0, 0, 0,
    ]);
    await runner.stop();
  });

  it('works off both feeds, each event in the namespace it came for; a namespace waits for the feed that is behind', async () => {
    const runner = await openRunner();
    await runner.publish('e', 3);
    await runner.publish('e', 5, { namespace: NAMESPACE });
    await runner.publish('e', 4, { namespace: 'sandbox' });
    await runner.time.pass(SECOND_MS);
    const namespaces = runner.database.rows(event).map(({ namespace }) => namespace);
    expect(Object.groupBy(namespaces, (namespace) => namespace)).to.deep.equal({
      default: new Array(5).fill('default'),
      sandbox: new Array(4).fill('sandbox'),
    });
    expect(runner.runtime.counters).to.include({ accepted_total: 9, duplicate_total: 3 });
    runner.apiTopic.failFor(MINUTE_MS * 1_000);
    const stalled = (await readFreshness(runner.database, NAMESPACE))?.asOf ?? 0;
    await runner.publish('more', 3);
    await runner.time.pass(20 * SECOND_MS);
    expect([runner.committed(), runner.unacknowledged()]).to.deep.equal([12, 0]);
    expect((await readFreshness(runner.database, NAMESPACE))?.asOf).to.equal(stalled);
    await runner.time.pass(2 * MINUTE_MS);
    expect((await readFreshness(runner.database, 'sandbox'))?.asOf).to.be.above(stalled);
    await runner.stop();
  });

  it('rolls days that are complete', async () => {
    const runner = await openRunner();
    await runner.publish('e', 3, { ageMicros: MICROS_PER_DAY / 2 });
    await runner.time.pass(3 * SECOND_MS);
    expect(runner.database.rows(usageDay)).to.have.length(1);
    expect(runner.database.rows(catalogue)[0]?.rolledThrough).to.equal(dayOf(SIMULATION_START) - 1);
    await runner.stop();
  });

  it('gets over a minute without its database: nothing is dead-lettered, nothing lost, and it catches up', async () => {
    const runner = await openRunner();
    await runner.publish('before', 10);
    await runner.time.pass(SECOND_MS);
    runner.database.failFor(MINUTE_MS * 1_000);
    for (let i = 0; i < 6; i++) {
      await runner.publish(`during-${i}`, 10);
      await runner.time.pass(9 * SECOND_MS);
    }
    const stalled = runner.committedThrough();
    expect(runner.committed()).to.equal(10);
    expect(runner.unacknowledged()).to.be.at.least(60);
    await runner.time.pass(20 * SECOND_MS);
    expect([runner.committed(), runner.appended(), runner.unacknowledged()]).to.deep.equal([70, 70, 0]);
    expect(runner.deadLetters()).to.deep.equal([]);
    expect(runner.committedThrough()).to.be.above(stalled);
    await runner.stop();
  });

  it('gets over a time without its topic', async () => {
    const runner = await openRunner();
    await runner.publish('e', 10);
    runner.topic.failFor(30 * SECOND_MS * 1_000);
    await runner.time.pass(20 * SECOND_MS);
    expect(runner.committed()).to.equal(0);
    await runner.time.pass(30 * SECOND_MS);
    expect([runner.committed(), runner.unacknowledged()]).to.deep.equal([10, 0]);
    await runner.stop();
  });

  it('goes on committing while the warehouse is down, with the watermark at rest; beyond ten minutes it all but stops pulling; then it recovers', async () => {
    const runner = await openRunner();
    await runner.time.pass(SECOND_MS);
    runner.warehouse.failFor(14 * MINUTE_MS * 1_000);
    await runner.publish('first', 10);
    const through = Math.max(...runner.topic.fates(SUBSCRIPTION).map(({ publishTime }) => publishTime));
    await runner.time.pass(5 * MINUTE_MS);
    await runner.publish('second', 10);
    await runner.time.pass(5 * MINUTE_MS);
    expect([runner.committed(), runner.appended()]).to.deep.equal([20, 0]);
    expect(runner.committedThrough()).to.be.at.most(through);
    await runner.time.pass(10 * SECOND_MS);
    await runner.publish('third', 300);
    await runner.time.pass(3 * MINUTE_MS);
    expect(runner.committed(), 'a message now and then tells when the warehouse is back').to.be.below(100);
    await runner.time.pass(3 * MINUTE_MS);
    expect([runner.committed(), runner.appended(), runner.unacknowledged()]).to.deep.equal([320, 320, 0]);
    expect(runner.deadLetters()).to.deep.equal([]);
    expect(runner.committedThrough()).to.be.above(through);
    await runner.stop();
  });

  it('is not held up by a value that the store refuses: it is dead-lettered once other events were stored beside it', async () => {
    const runner = await openRunner();
    runner.database.setFaults({
      ...noFaults,
      refuse: (row, table) => table === 'event' && 'subject' in row && row.subject === 'bad',
    });
    await runner.publish('bad', 1, { subject: 'bad' });
    await runner.time.pass(3 * MINUTE_MS);
    expect([runner.deadLetters(), runner.committed()], 'the store may be at fault').to.deep.equal([[], 0]);
    await runner.publish('good', 5);
    await runner.time.pass(SECOND_MS);
    expect(runner.committed()).to.equal(5);
    await runner.time.pass(2 * MINUTE_MS);
    expect(runner.deadLetters()).to.deep.equal(['rejected_by_store']);
    expect(runner.unacknowledged()).to.equal(0);
    await runner.stop();
  });

  it('finishes the bundle in hand when it is stopped, and leaves its runtime', async () => {
    const runner = await openRunner();
    await runner.publish('e', 10);
    await runner.stop();
    const committed = runner.committed();
    expect(runner.unacknowledged()).to.equal(10 - committed);
    expect(runner.appended()).to.equal(committed);
    expect(() => usageRuntimes.named(`${runner.name}/${FEED}`)).to.throw('no runtime');
    await runner.publish('late', 1);
    await runner.time.pass(MINUTE_MS);
    expect(runner.committed()).to.equal(committed);
  });

  it('stops while a store is down, and leaves the messages to be delivered again', async () => {
    const runner = await openRunner();
    runner.database.failFor(60 * MINUTE_MS * 1_000);
    await runner.publish('e', 10);
    await runner.time.pass(10 * SECOND_MS);
    await runner.stop();
    expect(runner.unacknowledged()).to.equal(10);
    runner.database.failFor(0);
    expect(runner.committed()).to.equal(0);
  });
});
