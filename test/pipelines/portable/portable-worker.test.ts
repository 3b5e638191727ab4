import { expect } from 'chai';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { fleetReceipt, fleetWorker, workerClaim } from '#infra/fleet/tables.ts';
import { CLAIM_FRESH_MICROS } from '#infra/fleet/windows.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import { noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { AckId, Message, Topic } from '#infra/topic/topic.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { event, watermark } from '#infra/usage/tables.ts';
import { noWarehouseFaults, openHostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { PollResume } from '#pipelines/beam/splittable-do-fn.ts';
import { joinFleet } from '#pipelines/fleet/membership.ts';
import { CommitInWorker } from '#pipelines/portable/commit-in-worker.ts';
import { COMMIT_PATIENCE_SECONDS, createPortableWorker } from '#pipelines/portable/portable-worker.ts';
import { provideWorker, withdrawWorker } from '#pipelines/portable/portable-workers.ts';
import { PullMessages, WAIT_MS } from '#pipelines/portable/read-messages.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import { createVirtualTime } from '../runner/virtual-time.ts';

const FEED = 'usage';
const RULE = { kind: 'fixed', namespace: 'default' } as const;
const SUBSCRIPTION = 'portable';
const ACK_DEADLINE_SECONDS = 60;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const BOUND = 50;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
let workers = 0;

/** Stores in a time of their own, and workers on them whose topics tell only what they were given. */
async function openWorld(ackDeadlineSeconds = ACK_DEADLINE_SECONDS) {
  const time = createVirtualTime();
  const { schedule, scheduler } = time;
  const database = openHostile({ tables: CLOUD_TABLES, schedule, faults: noFaults });
  const warehouse = openHostileWarehouse({ schedule, faults: noWarehouseFaults });
  const topic = openHostileTopic({
    schedule,
    faults: noTopicFaults,
    ackDeadlineSeconds,
  });
  const definition = { name: 'Calls', eventType: 'use', aggregation: 'count' } as const;
  await putMeter(database, { namespace: RULE.namespace, key: 'calls', definition });
  let pulls = 0;
  const openHandle = (): Topic => {
    const handle = topic.open(SUBSCRIPTION);
    const given = new Set<AckId>();
    return {
      ...handle,
      pull: async (max) => {
        pulls++;
        const messages = await handle.pull(max);
        for (const { ackId } of messages) given.add(ackId);
        return messages;
      },
      oldestUnacknowledged: async () => ({ scope: 'worker', at: scheduler.now() }),
      // As a stream that ends does.
      close: async () => {
        await handle.release([...given]);
        await handle.close();
      },
    };
  };
  const feedOf = (handle: Topic) => ({
    ...{ feed: FEED, rule: RULE },
    topic: { ...handle, backlog: async () => ({ messages: 0 }) },
  });
  const openWorker = () => {
    const name = `worker-${++workers}`;
    const sink = feedOf(openHandle());
    const worker = createPortableWorker({
      ...{ worker: name, release: 'test', scheduler, log: silent, counters: emptyCounters() },
      ...{ ackDeadlineSeconds, latenessMicros: 0 },
      bounds: { messagesMax: BOUND, bytesMax: 1_000_000, secondsMax: 3_600 },
      stores: {
        ...{ database, warehouse, feeds: [sink], apiTopic: sink.topic },
        maintain: async () => ({ dropped: [] }),
        close: async () => undefined,
      },
      openSources: async () => {
        const handle = openHandle();
        return { feeds: [feedOf(handle)], close: () => handle.close() };
      },
      join: joinFleet,
      errandsForAll: [],
      newHolderId: () => `holder-${++workers}`,
    });
    provideWorker(name, async () => worker);
    return { name, worker };
  };
  const producer = topic.open(SUBSCRIPTION);
  const publish = (count: number, prefix = 'e') =>
    producer.publish(
      Array.from({ length: count }, (_, i) => {
        const body = {
          specversion: '1.0',
          id: `${prefix}-${i}`,
          source: 'urn:s',
          type: 'use',
          subject: 'acme',
        };
        return { data: new TextEncoder().encode(JSON.stringify(body)) };
      }),
    );
  const open = (isLeased: boolean): number =>
    topic
      .fates(SUBSCRIPTION)
      .filter(
        ({ acknowledged, leasedUntil }) => !acknowledged && (leasedUntil > scheduler.now() || !isLeased),
      ).length;
  return {
    ...{ time, scheduler, database, warehouse, topic, openWorker, publish },
    pulls: () => pulls,
    leased: () => open(true),
    unacknowledged: () => open(false),
    /** Lets time pass until it is done. */
    during: async <Result>(work: Promise<Result>, milliseconds = MINUTE_MS): Promise<Result> => {
      const passing = time.pass(milliseconds);
      const result = await work;
      await passing;
      return result;
    },
  };
}

/** One round of a reader, as a runner begins it. */
async function readOnce(name: string, messages: Message[], from?: PollResume): Promise<PollResume> {
  const source = new PullMessages(name, FEED);
  await source.setup();
  return source.poll({
    element: 'usage-0',
    restriction: from?.restriction ?? source.restriction(),
    watermarkMs: from?.watermarkMs ?? 0,
    ending: new AbortController().signal,
    emit: (message) => {
      messages.push(message);
      return null;
    },
  });
}

async function commit(name: string, messages: readonly Message[]): Promise<void> {
  const sink = new CommitInWorker(name, FEED);
  await sink.setup();
  sink.startBundle();
  for (const message of messages) sink.process(parseDelivery(RULE, message));
  await sink.finishBundle();
}

/** A worker that has read some messages, and another that will commit them. */
async function openRead(count: number, ackDeadlineSeconds?: number) {
  const world = await openWorld(ackDeadlineSeconds);
  const [reading, committing] = [world.openWorker(), world.openWorker()];
  const messages: Message[] = [];
  let left: PollResume | undefined;
  /** The next round of the reader. */
  const readOn = async (milliseconds = 2 * SECOND_MS): Promise<PollResume> =>
    (left = await world.during(readOnce(reading.name, messages, left), milliseconds));
  // The first round opens the session that pulls.
  await readOn();
  await world.publish(count);
  await readOn();
  return { ...world, reading, committing, messages, readOn };
}

describe('a worker of a distributed runner', () => {
  it('reads what another commits, and has room again when that is acknowledged', async () => {
    const { messages, readOn, committing, database, publish, during, unacknowledged } = await openRead(
      2 * BOUND,
    );
    expect(messages).to.have.length(BOUND);
    await readOn();
    expect(messages, 'no more than its bound').to.have.length(BOUND);
    await during(commit(committing.name, messages), 3 * SECOND_MS);
    expect(database.rows(event)).to.have.length(BOUND);
    expect(database.rows(fleetReceipt), 'read and deleted').to.deep.equal([]);
    await readOn();
    expect(messages).to.have.length(2 * BOUND);
    await during(commit(committing.name, messages), 3 * SECOND_MS);
    await publish(1, 'last');
    expect([database.rows(event).length, unacknowledged()]).to.deep.equal([2 * BOUND, 1]);
  });

  it('moves the watermark to what is committed, and not beyond what is in other hands', async () => {
    const { messages, committing, time, during, database, topic } = await openRead(10);
    await time.pass(30 * SECOND_MS);
    const through = () => database.rows(watermark)[0]?.committedThrough ?? 0;
    const [first] = topic.fates(SUBSCRIPTION);
    expect(through()).to.equal(first?.publishTime);
    await during(commit(committing.name, messages), 5 * SECOND_MS);
    expect(through()).to.be.above(first?.publishTime ?? Infinity);
  });

  it('waits in a round that finds nothing, and pulls no more often than it must', async () => {
    const { time, scheduler, openWorker, pulls, during } = await openWorld();
    const { name } = openWorker();
    await during(readOnce(name, []), 2 * SECOND_MS);
    const before = { pulls: pulls(), at: scheduler.now() };
    let endedAt = 0;
    const round = readOnce(name, []).then(() => (endedAt = scheduler.now()));
    await time.pass(2 * SECOND_MS);
    await round;
    expect((endedAt - before.at) / 1_000).to.equal(WAIT_MS);
    expect(pulls() - before.pulls).to.be.at.most(WAIT_MS / 20 + 1);
  });

  it('keeps what its reader was given while its runner asks for no round, for longer than a sink waits for its store', async () => {
    const { time, leased } = await openRead(10, 10);
    await time.pass((COMMIT_PATIENCE_SECONDS + 15) * SECOND_MS);
    expect(leased()).to.equal(10);
  });

  it('goes on when its topic cannot be pulled for a while', async () => {
    const { topic, readOn, publish, messages } = await openRead(3);
    await publish(3, 'late');
    topic.failFor(5 * SECOND_MS * 1_000);
    await readOn();
    expect(messages).to.have.length(3);
    await readOn(10 * SECOND_MS);
    await readOn(10 * SECOND_MS);
    expect(messages).to.have.length(6);
  });

  it('gives back what it holds and leaves no row when it closes', async () => {
    const { reading, committing, leased, database, during } = await openRead(10);
    expect(leased()).to.equal(10);
    await during(reading.worker.close(), 5 * SECOND_MS);
    await during(committing.worker.close(), 5 * SECOND_MS);
    expect(leased()).to.equal(0);
    expect(database.rows(fleetWorker)).to.deep.equal([]);
    expect(database.rows(workerClaim).filter(({ oldest }) => oldest === null)).to.deep.equal([]);
    withdrawWorker(reading.name);
  });

  it('that cannot say what it holds gives everything back before its claim is stale, and reads again when it can', async () => {
    const { database, time, leased, readOn, messages } = await openRead(10);
    expect(leased()).to.equal(10);
    database.failFor(MINUTE_MS * 1_000);
    await time.pass(CLAIM_FRESH_MICROS / 1_000);
    expect(leased()).to.equal(0);
    await time.pass(2 * MINUTE_MS);
    await readOn();
    expect(messages).to.have.length(20);
  });

  it('promises no times for a deadline and a second after a job began, and then how far its topic is acknowledged', async () => {
    const { readOn, time, scheduler } = await openRead(1);
    expect((await readOn()).watermarkMs).to.equal(0);
    await time.pass((ACK_DEADLINE_SECONDS + 1) * SECOND_MS);
    const next = await readOn();
    expect(next.watermarkMs).to.be.within(scheduler.now() / 1_000 - 3 * SECOND_MS, scheduler.now() / 1_000);
  });
});

describe('the sink of a distributed runner', () => {
  it('waits for a database that is down for a while, and acknowledges nothing before it has committed', async () => {
    const { database, committing, messages, time, unacknowledged } = await openRead(10);
    database.failFor((COMMIT_PATIENCE_SECONDS / 2) * SECOND_MS * 1_000);
    const committed = commit(committing.name, messages);
    await time.pass((COMMIT_PATIENCE_SECONDS / 2 - 5) * SECOND_MS);
    expect(unacknowledged()).to.equal(10);
    await time.pass(20 * SECOND_MS);
    await committed;
    expect([database.rows(event).length, unacknowledged()]).to.deep.equal([10, 0]);
  });

  it('fails its bundle when that takes too long, so that its runner knows', async () => {
    const { database, committing, messages, time, unacknowledged } = await openRead(10);
    database.failFor(10 * MINUTE_MS * 1_000);
    const committed = commit(committing.name, messages).catch((error: unknown) => error);
    await time.pass((COMMIT_PATIENCE_SECONDS + 10) * SECOND_MS);
    expect(await committed).to.be.instanceOf(Error);
    expect(unacknowledged()).to.equal(10);
  });

  it('commits while the warehouse is down, and leaves the messages to come again', async () => {
    const { warehouse, database, committing, messages, during, unacknowledged } = await openRead(10);
    warehouse.failFor(10 * MINUTE_MS * 1_000);
    await during(commit(committing.name, messages), 5 * SECOND_MS);
    expect([database.rows(event).length, unacknowledged()]).to.deep.equal([10, 10]);
  });
});
