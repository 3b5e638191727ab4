import { AsyncLocalStorage } from 'node:async_hooks';
import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { CUSTOMER_TABLES } from '#infra/customers/tables.ts';
import { StoreError } from '#infra/database/errors.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile, type HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { ENTITLEMENT_TABLES } from '#infra/entitlements/tables.ts';
import { FLEET_TABLES } from '#infra/fleet/tables.ts';
import { CLAIM_FRESH_MICROS, REDELIVERY_DEADLINES } from '#infra/fleet/windows.ts';
import { PLAN_TABLES } from '#infra/plans/tables.ts';
import type { OpenedFeed } from '#infra/stores/opened-stores.ts';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import { noTopicFaults, openHostileTopic, type HostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { Message, Topic } from '#infra/topic/topic.ts';
import { CatalogueMoving } from '#infra/usage/commit.ts';
import { USAGE_TABLES } from '#infra/usage/tables.ts';
import { noWarehouseFaults, openHostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { HostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import { joinFleet } from '#pipelines/fleet/membership.ts';
import { createPortableWorker, type PortableWorker } from '#pipelines/portable/portable-worker.ts';
import { provideWorker, withdrawWorker } from '#pipelines/portable/portable-workers.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import { simulatedScheduler } from '#test/support/simulated-scheduler.ts';
import type { Simulation } from '#test/support/simulation.ts';
import { workerTopics, type WorkerTopics } from '#test/support/worker-topics.ts';

export const FEED = 'usage';
export const NAMESPACE = 'default';
export const SUBSCRIPTION = 'portable';
export const METER = 'tokens';
export const RULE = { kind: 'fixed', namespace: NAMESPACE } as const;
export const ACK_DEADLINE_SECONDS = 10;
/** Small, so that runs come to it. */
const BOUNDS = { messagesMax: 12, bytesMax: 1_000_000, secondsMax: 30 };
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The process of a worker, as its simulation sees it. */
export interface SimulatedProcess {
  readonly name: string;
  /** Runs in the process, and dies with it. What it throws is returned: the runner has to do with it. */
  run<Result>(work: () => Promise<Result>): Promise<Outcome<Result>>;
}

export type Outcome<Result> =
  { readonly kind: 'done'; readonly result: Result } | { readonly kind: 'failed' | 'died' };

export interface PortableWorld {
  readonly sim: Simulation;
  readonly database: HostileDatabase;
  readonly topic: HostileTopic;
  readonly warehouse: HostileWarehouse;
  readonly processes: Map<string, SimulatedProcess>;
  /** Every message that came to a worker, by its id: one that is on its way to it is nobody's yet. */
  readonly arrived: ReadonlyMap<string, Message>;
}

/** What a simulated process tells its surroundings. */
interface Self {
  readonly name: string;
  /** The time of its last claim that is stored: it takes nothing in when that is too long ago. */
  claimedAt: Instant;
}

interface Inner extends PortableWorld {
  readonly self: AsyncLocalStorage<Self>;
  readonly deaths: Map<string, () => void>;
  readonly workerTopics: WorkerTopics;
  holders: number;
}

export async function openPortableWorld(sim: Simulation): Promise<PortableWorld> {
  const topic = openHostileTopic({
    schedule: { ...sim, point: (label) => pointOf(inner, label) },
    faults: noTopicFaults,
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
  });
  const topics = workerTopics({
    ...{ sim, topic, subscription: SUBSCRIPTION },
    redeliveryMicros: REDELIVERY_DEADLINES * ACK_DEADLINE_SECONDS * MICROS_PER_SECOND,
  });
  const inner: Inner = {
    ...{ sim, topic, workerTopics: topics, arrived: topics.arrived },
    self: new AsyncLocalStorage<Self>(),
    database: openHostile({
      tables: [
        ...CATALOGUE_TABLES,
        ...CUSTOMER_TABLES,
        ...ENTITLEMENT_TABLES,
        ...FLEET_TABLES,
        ...PLAN_TABLES,
        ...USAGE_TABLES,
      ],
      schedule: sim,
      faults: noFaults,
    }),
    warehouse: openHostileWarehouse({ schedule: sim, faults: noWarehouseFaults }),
    processes: new Map(),
    deaths: new Map(),
    holders: 0,
  };
  const definition = { name: 'Tokens', eventType: 'request', aggregation: 'sum', value: 'tokens' } as const;
  await putMeter(inner.database, { namespace: NAMESPACE, key: METER, definition });
  return inner;
}

/** A worker whose claim is too old has closed its streams: nothing is delivered to it any more, at whatever moment that is. */
async function pointOf(world: Inner, label: string): Promise<void> {
  const { sim, self } = world;
  await sim.point(label);
  const own = self.getStore();
  const takesIn = label === 'pull' || label === 'extend';
  if (own === undefined || !takesIn || sim.now() - own.claimedAt <= CLAIM_FRESH_MICROS) return;
  sim.note(`${own.name} has not claimed in time`);
  killProcess(world, own.name);
  await new Promise<never>(() => undefined);
}

/** Starts a process that holds what readers are given, and commits what it is handed. Its name is never used again. */
export function startProcess(world: PortableWorld, name: string): void {
  const inner = world as Inner;
  const { sim, self, processes, deaths } = inner;
  const own: Self = { name, claimedAt: sim.now() };
  const died = Promise.withResolvers<Outcome<never>>();
  deaths.set(name, () => died.resolve({ kind: 'died' }));
  void sim.spawn(name, () =>
    self.run(own, async () => {
      const worker = createWorker(inner, own);
      provideWorker(name, async () => worker);
      const inbox = createInbox();
      processes.set(name, { name, run: (work) => Promise.race([inbox.put(work), died.promise]) });
      for (let works = 0; ; works++) {
        const work = await inbox.next();
        void sim.spawn(`${name}-${works}`, work);
      }
    }),
  );
}

/** It dies where it stands: whatever it does never goes on. */
export function killProcess(world: PortableWorld, name: string): void {
  const { sim, processes, deaths } = world as Inner;
  if (processes.delete(name)) withdrawWorker(name);
  sim.crash(name);
  deaths.get(name)?.();
}

/** What others want a process to do, so that the process itself does it. */
function createInbox() {
  const works: (() => Promise<void>)[] = [];
  let wake = (): void => undefined;
  return {
    put: <Result>(work: () => Promise<Result>): Promise<Outcome<Result>> => {
      const { promise, resolve } = Promise.withResolvers<Outcome<Result>>();
      works.push(async () => resolve(await outcomeOf(work)));
      wake();
      return promise;
    },
    next: async (): Promise<() => Promise<void>> => {
      for (;;) {
        const work = works.shift();
        if (work !== undefined) return work;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

async function outcomeOf<Result>(work: () => Promise<Result>): Promise<Outcome<Result>> {
  try {
    return { kind: 'done', result: await work() };
  } catch (error) {
    const isTrouble =
      error instanceof StoreError || error instanceof TopicUnavailable || error instanceof CatalogueMoving;
    if (!isTrouble) throw error;
    return { kind: 'failed' };
  }
}

function createWorker(world: Inner, own: Self): PortableWorker {
  const { sim, database, warehouse, topic } = world;
  const feedOf = (handle: Topic): OpenedFeed => ({
    ...{ feed: FEED, rule: RULE },
    topic: { ...handle, backlog: async () => ({ messages: 0 }) },
  });
  const sink = feedOf(topic.open(SUBSCRIPTION));
  return createPortableWorker({
    ...{ worker: own.name, release: 'test', bounds: BOUNDS, log: silent, counters: emptyCounters() },
    ...{ ackDeadlineSeconds: ACK_DEADLINE_SECONDS, latenessMicros: 0, scheduler: simulatedScheduler(sim) },
    stores: {
      ...{ database, warehouse, feeds: [sink], apiTopic: sink.topic },
      maintain: async () => ({ dropped: [] }),
      close: async () => undefined,
    },
    openSources: async () => {
      const handle = world.workerTopics.open();
      return { feeds: [feedOf(handle)], close: () => handle.close() };
    },
    join: (options) => joinFleet({ ...options, onClaim: (at) => (own.claimedAt = at) }),
    errandsForAll: [],
    newHolderId: () => `holder-${world.holders++}`,
  });
}
