import { expect } from 'chai';
import type { Instant } from '#domain/instant.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { identityOf } from '#domain/metering/identity.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { AUDIT_TABLES } from '#infra/audit/tables.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { CATALOGUE_TABLES, meterVersion } from '#infra/catalogue/tables.ts';
import { CORRECTION_TABLES } from '#infra/corrections/tables.ts';
import { CUSTOMER_TABLES } from '#infra/customers/tables.ts';
import { ENTITLEMENT_TABLES } from '#infra/entitlements/tables.ts';
import { noFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import type { HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import type { Schedule } from '#infra/database/hostile/schedule.ts';
import type { Table } from '#infra/database/table.ts';
import { IMPORT_TABLES } from '#infra/imports/tables.ts';
import { INVOICING_TABLES } from '#infra/invoicing/tables.ts';
import { PLAN_TABLES } from '#infra/plans/tables.ts';
import { noTopicFaults, openHostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { HostileTopic } from '#infra/topic/hostile/hostile-topic.ts';
import type { Attributes, Message } from '#infra/topic/topic.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import type { CommitContext, Committed } from '#infra/usage/commit.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { event, USAGE_TABLES } from '#infra/usage/tables.ts';
import type { Row } from '#infra/usage/tables.ts';
import type { EventName } from '#infra/usage/stored-event.ts';
import { noWarehouseFaults, openHostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { HostileWarehouse } from '#infra/warehouse/hostile/hostile-warehouse.ts';
import type { WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { effectsOf } from '#test/support/usage-model.ts';
import type { ModelData } from '#test/support/usage-model.ts';
import { checkUsage } from '#test/support/usage-store-check.ts';

export const NAMESPACE = 'default';
export const SOURCE = 'urn:svc:test';
export const FEED = 'events/pipeline';
/** When messages are published unless a test says otherwise. */
export const NOON = instant('2026-03-10T12:00:00Z');

export function instant(text: string): Instant {
  const parsed = parseRfc3339(text);
  if (parsed === undefined) throw new RangeError(`not a time: ${text}`);
  return parsed.at;
}

/** The stores of one test, without faults until it sets some. Time passes only when the test says so. */
export interface Stores {
  readonly database: HostileDatabase;
  readonly warehouse: HostileWarehouse;
  readonly topic: HostileTopic;
  readonly clock: { now: Instant };
  /** A writer's context with that slot; its catalogue is its own. */
  readonly writer: (slot?: number) => CommitContext & { readonly warehouse: HostileWarehouse };
}

type OpenDatabase = (tables: readonly Table<object>[], schedule: Schedule) => Promise<HostileDatabase>;

let openDatabase: OpenDatabase = async (tables, schedule) =>
  openHostile({ tables, schedule, faults: noFaults });

/** Has all stores that are opened from here on keep their rows in another database. */
export function keepUsageIn(open: OpenDatabase): void {
  openDatabase = open;
}

export async function openStores(
  meters: Readonly<Record<string, MeterDefinition>> = {},
  namespaces: readonly string[] = [NAMESPACE],
): Promise<Stores> {
  const clock = { now: NOON };
  const schedule: Schedule = {
    point: () => Promise.resolve(),
    random: seededRandom(1).next,
    now: () => clock.now,
  };
  const database = await openDatabase(
    [
      ...AUDIT_TABLES,
      ...CATALOGUE_TABLES,
      ...CORRECTION_TABLES,
      ...CUSTOMER_TABLES,
      ...ENTITLEMENT_TABLES,
      ...IMPORT_TABLES,
      ...INVOICING_TABLES,
      ...PLAN_TABLES,
      ...USAGE_TABLES,
    ],
    schedule,
  );
  const warehouse = openHostileWarehouse({ schedule, faults: noWarehouseFaults });
  const topic = openHostileTopic({ schedule, faults: noTopicFaults });
  for (const namespace of namespaces)
    for (const [key, definition] of Object.entries(meters))
      await putMeter(database, { namespace, key, definition });
  const writer = (slot = 0) => ({
    database,
    warehouse,
    catalogues: createCatalogues(database),
    feed: FEED,
    slot,
    clock: () => clock.now,
  });
  return { database, warehouse, topic, clock, writer };
}

/** What an event says; what is left out is ordinary. */
export interface Said {
  readonly id?: string;
  readonly source?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly time?: string | undefined;
  readonly data?: ModelData;
  readonly publishTime?: Instant;
  readonly messageId?: string;
  readonly namespace?: string;
}

const ordinary = { id: 'e-1', type: 'use', subject: 'acme', time: '2026-03-10T11:30:10Z' };
let messages = 0;

/** A message with that event, as the topic delivers it. */
export function messageOf(said: Said = {}, attributes: Attributes = {}): Message {
  const {
    publishTime = NOON,
    messageId: id = `m-${++messages}`,
    data = { v: '1' },
    namespace: _,
    ...event
  } = { ...ordinary, ...said };
  const body = { specversion: '1.0', source: SOURCE, ...event, data };
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return { id, data: bytes, attributes, publishTime, attempt: 1, ackId: `ack-${id}` };
}

/** The same, parsed. */
export const delivery = (said: Said = {}): Delivery =>
  parseDelivery({ kind: 'fixed', namespace: said.namespace ?? NAMESPACE }, messageOf(said));

/** A message of the feed whose attributes are trusted, parsed. */
export const trusted = (message: Message): Delivery =>
  parseDelivery({ kind: 'attribute', strays: NAMESPACE }, message);

export const nameOf = (id: string): EventName => ({ namespace: NAMESPACE, source: SOURCE, id });

/** Commits deliveries with a writer that has just started, and appends what they owe the warehouse. */
export async function commit(stores: Stores, deliveries: readonly Delivery[], slot = 0): Promise<Committed> {
  const committed = await commitDeliveries(stores.writer(slot), deliveries);
  await appendEventRows(stores, eventRowsOf(committed));
  return committed;
}

export const outcomesOf = ({ classified }: Committed): string[] => classified.map(({ outcome }) => outcome);

export function storedEvent({ database }: Stores, id: string): Row<typeof event> | undefined {
  const identity = identityOf(NAMESPACE, SOURCE, id);
  return database.rows(event).find((row) => row.identity === identity);
}

/** What the warehouse's exact view shows. */
export async function exactEvents({ warehouse }: Stores): Promise<WarehouseRow[]> {
  const rows: WarehouseRow[] = [];
  for await (const row of warehouse.query('events_exact', {})) rows.push(row);
  return rows;
}

/** What an operation was refused with; a test that expects an error and gets none fails. */
export async function errorOf(act: () => Promise<unknown>): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  return expect.fail('no error was thrown');
}

export interface Expected {
  /** The deliveries whose events count. */
  readonly live: readonly Delivery[];
  /** Those that counted once and were voided. */
  readonly voided?: readonly Delivery[];
  readonly rolledThrough?: number;
  readonly namespace?: string;
}

/** Every cell, day row and distinct value is what these events amount to. For meters without filters. */
export function expectUsage(stores: Stores, expected: Expected): void {
  const { live, voided = [], rolledThrough = -1, namespace = NAMESPACE } = expected;
  const database = rowsOfNamespace(stores, namespace);
  const meters = database
    .rows(meterVersion)
    .map(({ key, generation, since, definition }) => ({ key, generation, since, definition }));
  const rows = new Map(database.rows(event).map((row) => [row.identity, row]));
  const effects = (deliveries: readonly Delivery[]) =>
    deliveries.flatMap(({ event: said }) => {
      const row = said && rows.get(said.identity);
      if (said === undefined || row === undefined) throw new Error('an expected event is not stored');
      return effectsOf(
        { meters, filters: {} },
        { event: said, time: row.time, catalogueVersion: row.catalogueVersion },
      );
    });
  const everVoided = new Set(voided.map(({ event: said }) => (said as UsageEvent).identity));
  const truth = { meters, effects: effects(live), everCounted: effects([...live, ...voided]), everVoided };
  checkUsage(database, truth, rolledThrough);
}

const rowsOfNamespace = ({ database }: Stores, namespace: string): Pick<HostileDatabase, 'rows'> => ({
  rows: (table) => database.rows(table).filter((row) => !('namespace' in row) || row.namespace === namespace),
});

/** One meter of every aggregation over `v`, `unique` over `u`, with dimensions where the name says so. */
export const ALL_METERS: Readonly<Record<string, MeterDefinition>> = {
  count: { name: 'Count', eventType: 'use', aggregation: 'count' },
  'sum-by-model': {
    name: 'Sum',
    eventType: 'use',
    aggregation: 'sum',
    value: 'v',
    dimensions: { model: 'm' },
  },
  min: { name: 'Min', eventType: 'use', aggregation: 'min', value: 'v' },
  max: { name: 'Max', eventType: 'use', aggregation: 'max', value: 'v' },
  average: { name: 'Average', eventType: 'use', aggregation: 'average', value: 'v' },
  unique: { name: 'Unique', eventType: 'use', aggregation: 'unique', value: 'u' },
  latest: { name: 'Latest', eventType: 'use', aggregation: 'latest', value: 'v' },
  level: { name: 'Level', eventType: 'use', aggregation: 'timeWeightedSum', value: 'v' },
};
export const SUM_METER: Readonly<Record<string, MeterDefinition>> = {
  tokens: { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'v' },
};
