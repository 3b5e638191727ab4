import { expect } from 'chai';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { fleetWorker, workerClaim } from '#infra/fleet/tables.ts';
import { CLAIM_FRESH_MICROS } from '#infra/fleet/windows.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import { noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { Topic, UnacknowledgedScope } from '#infra/topic/topic.ts';
import { deadLetter, event, watermark } from '#infra/usage/tables.ts';
import { noWarehouseFaults, openHostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { SessionEnd } from '#pipelines/fleet/session.ts';
import { runWorker } from '#pipelines/fleet/worker.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import { createVirtualTime } from '../runner/virtual-time.ts';

const NAMESPACE = 'default';
const SUBSCRIPTION = 'fleet';
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const ACK_DEADLINE_SECONDS = 60;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
let workers = 0;

/** A worker on hostile drivers, in a time of its own, whose topic knows of all messages or only of what it was given. */
async function openWorker(scope: UnacknowledgedScope) {
  const time = createVirtualTime();
  const { schedule, scheduler } = time;
  const database = openHostile({ tables: CLOUD_TABLES, schedule, faults: noFaults });
  const warehouse = openHostileWarehouse({ schedule, faults: noWarehouseFaults });
  const log = openHostileTopic({ schedule, faults: noTopicFaults, ackDeadlineSeconds: ACK_DEADLINE_SECONDS });
  const definition = { name: 'Calls', eventType: 'use', aggregation: 'count' } as const;
  await putMeter(database, { namespace: NAMESPACE, key: 'calls', definition });
  const openTopic = (): Topic => {
    const topic = log.open(SUBSCRIPTION);
    if (scope === 'subscription') return topic;
    return {
      ...topic,
      // All that is published has been delivered: the test lets time pass only while it is.
      oldestUnacknowledged: async () => ({ scope, at: scheduler.now() }),
    };
  };
  let sessions = 0;
  const openStores = async (): Promise<OpenedStores> => {
    sessions++;
    const topic = { ...openTopic(), backlog: async () => ({ messages: 0 }) };
    const rule = { kind: 'fixed', namespace: NAMESPACE } as const;
    return {
      database,
      warehouse,
      feeds: [{ feed: 'usage', rule, topic }],
      apiTopic: topic,
      maintain: async () => ({ dropped: [] }),
      close: async () => undefined,
    };
  };
  const stopping = new AbortController();
  let end: SessionEnd | undefined;
  const running = runWorker(stopping.signal, {
    ...{ worker: `worker-${++workers}`, release: 'test', scheduler, log: silent, openStores },
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
    latenessMicros: 0,
    drainMs: 7 * SECOND_MS,
    batchMessagesMax: 100,
    counters: emptyCounters(),
    progress: { claimed: () => undefined, pulls: () => undefined, drains: () => undefined },
  }).then((how) => (end = how));
  const producer = log.open(SUBSCRIPTION);
  return {
    ...{ time, database, log },
    sessions: () => sessions,
    publish: (prefix: string, count: number) =>
      producer.publish(
        Array.from({ length: count }, (_, i) => ({
          data: new TextEncoder().encode(
            JSON.stringify({
              specversion: '1.0',
              id: `${prefix}-${i}`,
              source: 'urn:s',
              type: 'use',
              subject: 'acme',
            }),
          ),
        })),
      ),
    leased: () =>
      log
        .fates(SUBSCRIPTION)
        .filter(({ acknowledged, leasedUntil }) => !acknowledged && leasedUntil > scheduler.now()).length,
    committed: () => database.rows(event).length,
    committedThrough: () => database.rows(watermark)[0]?.committedThrough ?? 0,
    stop: async (): Promise<SessionEnd | undefined> => {
      stopping.abort();
      await Promise.race([running, time.pass(MINUTE_MS)]);
      return end;
    },
  };
}

describe('a worker of a fleet', () => {
  it('commits what is published, moves the watermark of the fleet, and leaves no row when it has drained', async () => {
    const worker = await openWorker('subscription');
    await worker.time.pass(SECOND_MS);
    await worker.publish('e', 20);
    await worker.time.pass(3 * SECOND_MS);
    expect(worker.committed()).to.equal(20);
    expect(worker.database.rows(watermark).map((row) => row.worker)).to.deep.equal(['fleet']);
    expect(worker.database.rows(fleetWorker)).to.have.length(1);
    expect(await worker.stop()).to.equal('drained');
    expect(worker.database.rows(fleetWorker)).to.deep.equal([]);
    expect(worker.database.rows(workerClaim)).to.deep.equal([]);
  });

  it('that cannot say what it holds gives everything back before its claim is stale, and goes on when it can', async () => {
    const worker = await openWorker('worker');
    await worker.time.pass(10 * SECOND_MS);
    const before = worker.committedThrough();
    expect(before, 'the watermark moves').to.be.above(0);
    worker.database.failFor(MINUTE_MS * 1_000);
    await worker.publish('e', 20);
    await worker.time.pass(2 * SECOND_MS);
    expect(worker.leased()).to.equal(20);
    await worker.time.pass(CLAIM_FRESH_MICROS / 1_000 - 2 * SECOND_MS);
    expect(worker.leased(), 'fenced').to.equal(0);
    await worker.time.pass(2 * MINUTE_MS);
    expect([worker.committed(), worker.database.rows(deadLetter).length]).to.deep.equal([20, 0]);
    expect(worker.sessions()).to.be.above(1);
    await worker.time.pass(12 * MINUTE_MS);
    expect(worker.committedThrough(), 'once the first session counts no more').to.be.above(before);
    expect(await worker.stop()).to.equal('drained');
  });

  it('keeps its leases through an outage where its topics know how far they are acknowledged', async () => {
    const worker = await openWorker('subscription');
    await worker.time.pass(3 * SECOND_MS);
    worker.database.failFor(MINUTE_MS * 1_000);
    await worker.publish('e', 20);
    await worker.time.pass(50 * SECOND_MS);
    expect([worker.leased(), worker.sessions()]).to.deep.equal([20, 1]);
    await worker.time.pass(MINUTE_MS);
    expect(worker.committed()).to.equal(20);
    expect(await worker.stop()).to.equal('drained');
  });
});
