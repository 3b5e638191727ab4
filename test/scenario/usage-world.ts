import { AUDIT_TABLES } from '#infra/audit/tables.ts';
import { BACKFILL_TABLES } from '#infra/backfill/tables.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { createLimitMemory } from '#infra/entitlements/foreseen-limits.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import { CORRECTION_TABLES } from '#infra/corrections/tables.ts';
import { CUSTOMER_TABLES } from '#infra/customers/tables.ts';
import { IMPORT_TABLES } from '#infra/imports/tables.ts';
import { ENTITLEMENT_TABLES } from '#infra/entitlements/tables.ts';
import { StoreError } from '#infra/database/errors.ts';
import { commonFaults, noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import type { HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import { isHeartbeat } from '#infra/topic/heartbeat.ts';
import { commonTopicFaults, noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { HostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { Message } from '#infra/topic/topic.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { createBisectingCommitter } from '#infra/usage/bisection.ts';
import type { BisectedCommit } from '#infra/usage/bisection.ts';
import { CatalogueMoving } from '#infra/usage/commit.ts';
import type { CommitContext } from '#infra/usage/commit.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { PLAN_TABLES } from '#infra/plans/tables.ts';
import { USAGE_TABLES } from '#infra/usage/tables.ts';
import { RECONCILE_TABLES } from '#infra/reconcile/tables.ts';
import { NotYetAppended } from '#infra/usage/stored-event.ts';
import { WarehouseUnavailable } from '#infra/warehouse/errors.ts';
import {
  commonWarehouseFaults,
  noWarehouseFaults,
  openHostileWarehouse,
} from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { HostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { Simulation } from '#test/support/simulation.ts';
import { assertAccounted } from './accounted.ts';
import { METERS, NAMESPACES, REFUSED_SUBJECT, STRAYS } from './usage-script.ts';

export const FEED = 'events/pipeline';
export const SUBSCRIPTION = 'pipeline';
const ACK_DEADLINE_SECONDS = 1;
const BATCH_MESSAGES_MAX = 8;
/** After a failure a worker waits up to this long; short beside the deadline of a lease. */
const PAUSE_MICROS_MAX = 20_000;

/** Per operation, and a roll or a void has dozens of them in one transaction: more, and hardly one would ever get through. */
export const ABORT_CHANCE = 0.01;

/** The stores of one simulated run, as hostile as its seed. */
export interface UsageWorld {
  readonly sim: Simulation;
  readonly database: HostileDatabase;
  readonly topic: HostileTopic;
  readonly warehouse: HostileWarehouse;
  /** Ids of messages that were handed to an acknowledgement: each was accounted for at that moment. */
  readonly accounted: Set<string>;
}

export async function openWorld(sim: Simulation): Promise<UsageWorld> {
  const database = openHostile({
    tables: [
      ...AUDIT_TABLES,
      ...BACKFILL_TABLES,
      ...CATALOGUE_TABLES,
      ...CORRECTION_TABLES,
      ...CUSTOMER_TABLES,
      ...ENTITLEMENT_TABLES,
      ...IMPORT_TABLES,
      ...PLAN_TABLES,
      ...RECONCILE_TABLES,
      ...USAGE_TABLES,
    ],
    schedule: sim,
    faults: noFaults,
  });
  const topic = openHostileTopic({
    schedule: sim,
    faults: noTopicFaults,
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
  });
  const warehouse = openHostileWarehouse({ schedule: sim, faults: noWarehouseFaults });
  for (const namespace of NAMESPACES)
    for (const [key, definition] of Object.entries(METERS))
      await putMeter(database, { namespace, key, definition });
  const world = { sim, database, topic, warehouse, accounted: new Set<string>() };
  beHostile(world);
  return world;
}

function beHostile({ database, topic, warehouse }: UsageWorld): void {
  const refuse = (row: object, table: string): boolean =>
    table === 'event' && 'subject' in row && row.subject === REFUSED_SUBJECT;
  database.setFaults({ ...commonFaults, abort: ABORT_CHANCE, refuse });
  topic.setFaults(commonTopicFaults);
  warehouse.setFaults(commonWarehouseFaults);
}

export function bePeaceful({ database, topic, warehouse }: UsageWorld): void {
  database.setFaults(noFaults);
  topic.setFaults(noTopicFaults);
  warehouse.setFaults(noWarehouseFaults);
  for (const store of [database, topic, warehouse]) store.failFor(0);
}

export const contextOf = ({ sim, database }: UsageWorld, slot: number): CommitContext => ({
  database,
  catalogues: createCatalogues(database),
  feed: FEED,
  slot,
  clock: sim.now,
  // Writers that remember whose limits they met race writers that do not.
  ...(slot % 2 === 0 ? { limitMemory: createLimitMemory() } : {}),
});

/** What a store that fails may throw; anything else is a mistake in the code under test. */
const isTrouble = (error: unknown): boolean =>
  (error instanceof StoreError && (error.kind === 'UnknownOutcome' || error.kind === 'StoreFailure')) ||
  error instanceof TopicUnavailable ||
  error instanceof WarehouseUnavailable ||
  error instanceof CatalogueMoving ||
  error instanceof NotYetAppended;

export const pause = ({ sim }: UsageWorld, micros = PAUSE_MICROS_MAX): Promise<void> =>
  sim.sleep(sim.draw.below(micros));

/** Does it again until no store is in the way. */
export async function insist<Result>(world: UsageWorld, act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!isTrouble(error)) throw error;
      await pause(world);
    }
  }
}

/** The feed is shared: each message says whose it is. */
export const toDelivery = (message: Message): Delivery =>
  parseDelivery({ kind: 'attribute', strays: STRAYS }, message);

const NOTHING: BisectedCommit = { committed: [], doubted: [] };

/** A worker of the usage pipeline, without the engine around it: pull, parse, commit, append, acknowledge, for ever. */
export async function work(world: UsageWorld, slot: number): Promise<void> {
  const topic = world.topic.open(SUBSCRIPTION);
  const context = contextOf(world, slot);
  const committer = createBisectingCommitter(context);
  const commitAll = async (messages: readonly Message[]): Promise<void> => {
    const deliveries = messages.filter((message) => !isHeartbeat(message)).map(toDelivery);
    const { committed, doubted } = deliveries.length === 0 ? NOTHING : await committer.commit(deliveries);
    await appendEventRows(world, committed.flatMap(eventRowsOf));
    const done = messages.filter((message) => !doubted.some((each) => each.message === message));
    assertAccounted(world, done);
    await topic.ack(done.map(({ ackId }) => ackId));
  };
  for (;;) {
    const messages = await insist(world, () => topic.pull(1 + world.sim.draw.below(BATCH_MESSAGES_MAX)));
    try {
      if (messages.length > 0) await commitAll(messages);
      else await pause(world);
    } catch (error) {
      if (!isTrouble(error)) throw error;
      await pause(world);
      // One worker tries the batch again, another leaves it to be delivered again.
      if (world.sim.draw.chance(1 / 2)) await insist(world, () => commitAll(messages));
    }
  }
}
