import { AsyncLocalStorage } from 'node:async_hooks';
import type { Instant } from '#domain/instant.ts';
import { StoreError, StoreFailure } from '#infra/database/errors.ts';
import { commonFaults } from '#infra/database/hostile/faults.ts';
import { openHostile, type HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { column, defineTable } from '#infra/database/table.ts';
import { answerFor, type AnsweredTopic } from '#infra/fleet/answer-for.ts';
import { advanceWatermarks, createClaimant, storeClaims, withdrawClaims } from '#infra/fleet/claims.ts';
import { FLEET_TABLES } from '#infra/fleet/tables.ts';
import type { FleetWindows } from '#infra/fleet/windows.ts';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import {
  commonTopicFaults,
  openHostileTopic,
  type HostileTopic,
} from '#infra/topic/hostile/hostile-topic.ts';
import type { Topic } from '#infra/topic/topic.ts';
import { USAGE_TABLES, watermark } from '#infra/usage/tables.ts';
import type { Simulation } from '#test/support/simulation.ts';
import { workerTopics, type WorkerTopics } from '#test/support/worker-topics.ts';

/** Stands for an event row: a message is committed once its row is there. */
const committedMessage = defineTable('committed_message', {
  columns: { message: column('string') },
  key: ['message'],
});

const FEED = 'events';
const SUBSCRIPTION = 'fleet';
const MILLI = 1_000;
const DEADLINE_MICROS = 40 * MILLI;
const REDELIVERY_MICROS = 120 * MILLI;
const FRESH_MICROS = 60 * MILLI;
const LEASE_END_MICROS = FRESH_MICROS + DEADLINE_MICROS;
/** All clocks of a simulation are one. */
const WINDOWS: FleetWindows = {
  freshMicros: FRESH_MICROS,
  skewMicros: 0,
  steadyLagMicros: Infinity,
  redeliveryMicros: REDELIVERY_MICROS,
  leaseEndMicros: LEASE_END_MICROS,
  rememberMicros: REDELIVERY_MICROS + 2 * FRESH_MICROS,
  expiryMicros: LEASE_END_MICROS + REDELIVERY_MICROS + 2 * FRESH_MICROS,
};

/** A worker as its simulation sees it. */
interface SimulatedWorker {
  readonly name: string;
  /** The time of its last claim that is stored: it takes nothing in when that is too long ago. */
  claimedAt: Instant;
  leaving: boolean;
  /** Its claims do not arrive, while all else does. */
  cutOff: boolean;
}

export interface SimulatedFleet {
  readonly topic: HostileTopic;
  readonly publisher: Topic;
  start(name: string): Promise<void>;
  crash(name: string): void;
  /** It stops pulling, gives back what it holds, and takes its rows away. */
  leave(name: string): void;
  /** Its claims do not arrive any more, while all else does. */
  cutOff(name: string): void;
  alive(): readonly string[];
  /** All workers die. */
  end(): void;
  /** Throws when everything published before the stored watermark is not committed. */
  check(): void;
  committedThrough(): Instant | undefined;
  isDrained(): boolean;
}

interface World {
  readonly sim: Simulation;
  readonly database: HostileDatabase;
  readonly topic: HostileTopic;
  readonly self: AsyncLocalStorage<SimulatedWorker>;
  readonly workers: Map<string, SimulatedWorker>;
  readonly workerTopics: WorkerTopics;
}

export function openFleet(sim: Simulation): SimulatedFleet {
  const self = new AsyncLocalStorage<SimulatedWorker>();
  const topic = openHostileTopic({
    schedule: { ...sim, point: (label) => pointOf(world, label) },
    faults: commonTopicFaults,
    ackDeadlineSeconds: DEADLINE_MICROS / 1e6,
  });
  const world: World = {
    ...{ sim, self, topic },
    database: openHostile({
      tables: [...USAGE_TABLES, ...FLEET_TABLES, committedMessage],
      schedule: sim,
      faults: commonFaults,
    }),
    workers: new Map(),
    workerTopics: workerTopics({
      ...{ sim, topic, subscription: SUBSCRIPTION },
      redeliveryMicros: REDELIVERY_MICROS,
    }),
  };
  return {
    topic: world.topic,
    publisher: world.topic.open(SUBSCRIPTION),
    start: (name) => startWorker(world, name),
    crash: (name) => {
      world.workers.delete(name);
      sim.crash(name);
    },
    leave: (name) => void Object.assign(world.workers.get(name) ?? {}, { leaving: true }),
    cutOff: (name) => void Object.assign(world.workers.get(name) ?? {}, { cutOff: true }),
    alive: () => [...world.workers.values()].filter(({ leaving }) => !leaving).map(({ name }) => name),
    end: () => {
      for (const name of world.workers.keys()) sim.crash(name);
      world.workers.clear();
    },
    check: () => checkWatermark(world),
    committedThrough: () => storedWatermark(world),
    isDrained: () => world.topic.fates(SUBSCRIPTION).every(({ acknowledged }) => acknowledged),
  };
}

/** A worker whose claim is too old has closed its stream: nothing is delivered to it any more, at whatever moment that is. */
async function pointOf(world: World, label: string): Promise<void> {
  const { sim, self, workers } = world;
  await sim.point(label);
  const worker = self.getStore();
  const takesIn = label === 'pull' || label === 'extend';
  if (worker === undefined || !takesIn || sim.now() - worker.claimedAt <= FRESH_MICROS) return;
  sim.note(`${worker.name} is fenced off`);
  workers.delete(worker.name);
  sim.crash(worker.name);
  await new Promise<never>(() => undefined);
}

async function startWorker(world: World, name: string): Promise<void> {
  const { sim, self, workers, database } = world;
  const worker: SimulatedWorker = { name, claimedAt: sim.now(), leaving: false, cutOff: false };
  workers.set(name, worker);
  const answered = answerFor(world.workerTopics.open(), {
    clock: sim.now,
    ackDeadlineSeconds: DEADLINE_MICROS / 1e6,
    rememberMicros: WINDOWS.rememberMicros,
  });
  const claimant = createClaimant({ feed: FEED, worker: name, answered, clock: sim.now, windows: WINDOWS });
  const row = { worker: name, slot: 0, release: 'test', startedAt: sim.now() };
  const claim = async (): Promise<void> => {
    const claimed = await claimant.claim();
    if (worker.cutOff) throw new StoreFailure('cut off');
    await storeClaims(database, { ...row, heartbeatAt: claimed.claimedAt }, [claimed]);
    worker.claimedAt = claimed.claimedAt;
  };
  const advance = async (): Promise<void> => {
    const feed = { feed: FEED, namespace: null, latenessMicros: 0 };
    await advanceWatermarks(database, [feed], { now: sim.now(), windows: WINDOWS });
    checkWatermark(world);
  };
  // It belongs to the fleet before it is given anything.
  void sim.spawn(name, () =>
    self.run(worker, async () => {
      while (!(await succeeds(claim))) await sim.sleep(2 * MILLI);
      await Promise.all([
        sim.spawn(`${name}-claims`, () => again(sim, worker, 8 * MILLI, claim)),
        sim.spawn(`${name}-advance`, () => again(sim, worker, 12 * MILLI, advance)),
        sim.spawn(`${name}-pulls`, () => pullAll(world, worker, answered)),
      ]);
      // What it held is given back by now; it goes on answering for that.
      while (!(await succeeds(async () => withdrawClaims(database, name, [await claimant.claim()]))))
        await sim.sleep(2 * MILLI);
      workers.delete(name);
    }),
  );
}

async function again(
  sim: Simulation,
  worker: SimulatedWorker,
  everyMicros: number,
  act: () => Promise<unknown>,
): Promise<void> {
  while (!worker.leaving) {
    await succeeds(act);
    await sim.sleep(everyMicros);
  }
}

/** False where a store failed, as the seed wanted it. */
async function succeeds(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof StoreError || error instanceof TopicUnavailable) return false;
    throw error;
  }
}

async function pullAll(
  { sim, database }: World,
  worker: SimulatedWorker,
  { topic }: AnsweredTopic,
): Promise<void> {
  while (!worker.leaving) {
    await succeeds(async () => {
      const messages = await topic.pull(1 + sim.draw.below(6));
      const ids = messages.map(({ ackId }) => ackId);
      // Some bundles take longer than their lease; some are given back, or forgotten.
      if (sim.draw.chance(0.2)) await sim.sleep(sim.draw.below(2 * DEADLINE_MICROS));
      if (sim.draw.chance(0.3) && ids.length > 0) await topic.extend(ids, DEADLINE_MICROS / 1e6);
      if (sim.draw.chance(0.1)) return;
      if (worker.leaving || sim.draw.chance(0.1)) return topic.release(ids);
      await database.transact(async (tx) =>
        messages.forEach(({ id }) => tx.upsert(committedMessage, { message: id })),
      );
      await topic.ack(ids);
    });
    await sim.sleep(sim.draw.below(4 * MILLI));
  }
}

const storedWatermark = ({ database }: World): Instant | undefined =>
  database.rows(watermark)[0]?.committedThrough;

function checkWatermark(world: World): void {
  const through = storedWatermark(world);
  if (through === undefined) return;
  const committed = new Set(world.database.rows(committedMessage).map(({ message }) => message));
  const early = world.topic
    .fates(SUBSCRIPTION)
    .filter(({ id, publishTime }) => publishTime < through && !committed.has(id));
  if (early.length > 0)
    throw new Error(
      `the watermark ${through} is ahead of ${early.map(({ id, publishTime }) => `${id}@${publishTime}`).join(' ')}`,
    );
}
