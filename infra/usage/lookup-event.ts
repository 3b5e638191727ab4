import { hourOf, hourStart, type Instant } from '#domain/instant.ts';
import { compileCatalogue, type Catalogue } from '#domain/metering/catalogue.ts';
import { countedAs } from '#domain/metering/counted-as.ts';
import { matchEvent, scalarText, type Effect } from '#domain/metering/effects.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { toHex, type Hash128 } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { valueAt } from '#domain/metering/json-path.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import { groupValues } from '#domain/usage/series.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { toDeadLetter, type DeadLetter } from './dead-letters.ts';
import { appendParked, conflict, deadLetter, event, type Row } from './tables.ts';
import { findExpired, findInWarehouse, fromWarehouse, type EventName } from './stored-event.ts';

/**
 * Where an event went. `unseen`: not committed, at least not yet. `counted`: at least one meter counts it; `unmatched`: none does. `void`:
 * it was taken back, or will be when it comes. `expired`: committed so long ago that only the warehouse knows it.
 */
export const EVENT_FATES = ['unseen', 'counted', 'unmatched', 'void', 'expired'] as const;
export type EventFate = (typeof EVENT_FATES)[number];

export interface LookedUpEvent {
  readonly identity: Hash128;
  readonly state: EventFate;
  /** Absent for one that is unseen, or void before it came. */
  readonly event?: FoundEvent;
  /** What it contributes, a cell for each meter that counts it; empty for one that does not count. */
  readonly cells: readonly EventCell[];
  /** Copies that said something else, at most 100. */
  readonly conflicts: readonly Row<typeof conflict>[];
  /** Refused messages that bore its name, at most 100. */
  readonly deadLetters: readonly DeadLetter[];
}

export interface FoundEvent {
  readonly type: string;
  readonly subject: string;
  readonly time: Instant;
  readonly committedAt: Instant;
  /** The version of the catalogue that it was counted with. */
  readonly catalogueVersion: number;
  /** What it said, canonical JSON; null until it is in the warehouse. Then cells are not known either. */
  readonly data: string | null;
  /** Its other attributes, JSON text; null when there are none. */
  readonly attributes: string | null;
  /** False while its row is on its way to the warehouse, or parked because the warehouse refuses it. */
  readonly isAppended: boolean;
}

/** What one event adds to one meter, in the hour cell it lies in. */
export interface EventCell {
  readonly meter: string;
  readonly generation: number;
  /** Dimension -> value, "" where the event has none; null for a meter without dimensions. */
  readonly group: Readonly<Record<string, string>> | null;
  readonly hour: Instant;
  /** A decimal string: what was measured; for count and unique, 1. */
  readonly value: string;
  /** Unique only: the value that the event names. */
  readonly distinct?: string;
}

const LISTED_MAX = 100;

export interface LookUp extends EventName {
  readonly now: Instant;
}

/**
 * Says where one event went: what is stored is read in one snapshot, what it said comes from the warehouse. Of an event whose row has
 * expired the warehouse's old days are searched, which takes longer the more there are of them. Throws what the stores throw.
 */
export async function lookupEvent(
  { database, warehouse }: { readonly database: Database; readonly warehouse: Pick<Warehouse, 'query'> },
  name: LookUp,
): Promise<LookedUpEvent> {
  const identity = identityOf(name.namespace, name.source, name.id);
  const stored = await inSnapshot(database, (snapshot) => readStored(snapshot, name.namespace, identity));
  const { conflicts, deadLetters } = stored;
  const found = stored.row
    ? await describe(warehouse, { ...stored, row: stored.row })
    : await describeExpired(warehouse, name, identity);
  return { identity, ...found, conflicts, deadLetters };
}

interface Stored {
  readonly row: Row<typeof event> | undefined;
  readonly parked: Row<typeof appendParked> | undefined;
  readonly conflicts: readonly Row<typeof conflict>[];
  readonly deadLetters: readonly DeadLetter[];
  readonly meters: readonly MeterVersion[];
}

async function readStored(from: Reads, namespace: string, identity: Hash128): Promise<Stored> {
  const [[row], [parked], meters, conflicts, letters] = await Promise.all([
    from.read(event, [[identity]]),
    from.read(appendParked, [[identity]]),
    readMeterVersions(from, namespace),
    Array.fromAsync(from.scan(conflict, { prefix: [identity] }, { limit: LISTED_MAX })),
    Array.fromAsync(
      from.scan(deadLetter, { prefix: [namespace, identity] }, { index: 'byIdentity', limit: LISTED_MAX }),
    ),
  ]);
  return { row, parked, meters, conflicts, deadLetters: letters.map(toDeadLetter) };
}

type Description = Pick<LookedUpEvent, 'state' | 'event' | 'cells'>;

async function describe(
  warehouse: Pick<Warehouse, 'query'>,
  { row, parked, meters }: Stored & { readonly row: Row<typeof event> },
): Promise<Description> {
  const { namespace, identity, digest } = row;
  if (digest === null) return { state: 'void', cells: [] };
  const appended = await findInWarehouse(warehouse, { ...row, digest });
  const said = appended ?? parkedEvent(row, parked);
  const found = foundEvent(row, said, appended !== undefined);
  if (row.state === 'void') return { state: 'void', event: found, cells: [] };
  const catalogue = compileCatalogue(namespace, row.catalogueVersion, meters);
  // Until the event can be read, its type is all there is to go by.
  if (said === undefined)
    return { state: catalogue.byType.has(row.type) ? 'counted' : 'unmatched', event: found, cells: [] };
  const catalogueVersion = row.catalogueVersion;
  const cells = [
    ...cellsOf({ ...said, identity }, { catalogue, meters }),
    ...backfilledCells({ ...said, identity }, { catalogueVersion, meters }),
  ];
  return { state: cells.length > 0 ? 'counted' : 'unmatched', event: found, cells };
}

/** The parked row of the event itself, not of a conflict that bears its name. */
function parkedEvent(
  row: Row<typeof event>,
  parked: Row<typeof appendParked> | undefined,
): UsageEvent | undefined {
  const said = parked?.row as WarehouseRow | undefined;
  if (said === undefined || row.digest === null || said['digest'] !== toHex(row.digest)) return undefined;
  return said['data'] === null ? undefined : fromWarehouse(said, row);
}

const foundEvent = (
  {
    type,
    subject,
    time,
    committedAt,
    catalogueVersion,
  }: Omit<FoundEvent, 'data' | 'attributes' | 'isAppended'>,
  said: Pick<UsageEvent, 'data' | 'attributes'> | undefined,
  isAppended: boolean,
): FoundEvent => ({
  type,
  subject,
  time,
  committedAt,
  catalogueVersion,
  data: said?.data ?? null,
  attributes: said?.attributes ?? null,
  isAppended,
});

function cellsOf(
  said: UsageEvent,
  { catalogue, meters }: { catalogue: Catalogue; meters: readonly MeterVersion[] },
): EventCell[] {
  const matched = matchEvent(catalogue, said);
  if (matched.refusal) return [];
  return matched.effects.map((effect) => cellOf(said, effect, meters));
}

/** What complete backfills have counted of it. */
const backfilledCells = (
  said: UsageEvent,
  { catalogueVersion, meters }: { catalogueVersion: number; meters: readonly MeterVersion[] },
): EventCell[] =>
  meters
    .filter(
      (meter) => countedAs(meter, meter.backfilled, { catalogueVersion, time: said.time }) === 'backfill',
    )
    .flatMap((meter) => {
      const catalogue = compileCatalogue(said.namespace, meter.since, [{ ...meter, until: null }]);
      return cellsOf(said, { catalogue, meters });
    });

function cellOf(said: UsageEvent, effect: Effect, meters: readonly MeterVersion[]): EventCell {
  const { key, generation, aggregation, value } = effect.meter;
  const { dimensions = {} } =
    meters.find((meter) => meter.key === key && meter.generation === generation)?.definition ?? {};
  const measures = aggregation !== 'count' && aggregation !== 'unique';
  const named = aggregation === 'unique' && value ? valueAt(said.data, value) : undefined;
  return {
    meter: key,
    generation,
    group: groupOf(effect.group, Object.keys(dimensions).sort()),
    hour: hourStart(hourOf(said.time)),
    value: measures ? toDecimalString(effect.value) : '1',
    ...(named === undefined ? {} : { distinct: scalarText(named) ?? named }),
  };
}

/** A group holds the values in the order of the sorted names. */
function groupOf(group: string, names: readonly string[]): EventCell['group'] {
  if (group === '') return null;
  const values = groupValues(group, names.length);
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}

async function describeExpired(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, now }: LookUp,
  identity: Hash128,
): Promise<Description> {
  const found = await findExpired(warehouse, { namespace, identity, now });
  if (found === undefined) return { state: 'unseen', cells: [] };
  const { stored, event: said } = found;
  return { state: 'expired', event: foundEvent({ ...said, ...stored }, said, true), cells: [] };
}
