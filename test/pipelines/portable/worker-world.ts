import { putMeter } from '#infra/catalogue/put-meter.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import { noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { AckId, Message, Topic } from '#infra/topic/topic.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { noWarehouseFaults, openHostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { PollResume } from '#pipelines/beam/splittable-do-fn.ts';
import { joinFleet } from '#pipelines/fleet/membership.ts';
import { CommitInWorker } from '#pipelines/portable/commit-in-worker.ts';
import { createPortableWorker } from '#pipelines/portable/portable-worker.ts';
import { provideWorker } from '#pipelines/portable/portable-workers.ts';
import { PullMessages } from '#pipelines/portable/read-messages.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import { createVirtualTime } from '../runner/virtual-time.ts';

export const FEED = 'usage';
export const RULE = { kind: 'fixed', namespace: 'default' } as const;
export const SUBSCRIPTION = 'portable';
export const ACK_DEADLINE_SECONDS = 60;
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
/** Of the messages that a worker holds. */
export const BOUND = 50;
/** The job that the workers are of. */
export const JOB = 'usage';
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
let workers = 0;

/** Stores in a time of their own, and workers on them whose topics tell only what they were given. */
export async function openWorld(ackDeadlineSeconds = ACK_DEADLINE_SECONDS) {
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
      ...{ worker: name, release: 'test', job: JOB, scheduler, log: silent, counters: emptyCounters() },
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
export async function readOnce(name: string, messages: Message[], from?: PollResume): Promise<PollResume> {
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

export async function commit(name: string, messages: readonly Message[]): Promise<void> {
  const sink = new CommitInWorker(name, FEED);
  await sink.setup();
  sink.startBundle();
  for (const message of messages) sink.process(parseDelivery(RULE, message));
  await sink.finishBundle();
}

/** A worker that has read some messages, and another that will commit them. */
export async function openRead(count: number, ackDeadlineSeconds?: number) {
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
