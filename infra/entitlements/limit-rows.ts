import { amountOf } from '#domain/entitlements/limit.ts';
import {
  changeRolling,
  emptyRolling,
  firstStepAt,
  floorAt,
  packRolling,
  stepOf,
  unpackRolling,
  usedInWindow,
  type RollingUsage,
  type StepChange,
} from '#domain/entitlements/rolling.ts';
import type { Instant } from '#domain/instant.ts';
import {
  add,
  compare,
  fromDecimalString,
  subtract,
  toDecimalString,
  type Quantity,
} from '#domain/metering/quantity.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import type { Row } from '#infra/usage/tables.ts';
import { keyOfPlace, type LimitPlace } from './hard-limits.ts';
import { limitRow } from './tables.ts';

/** A limit row opened up, to be read and changed within one transaction. */
export interface OpenLimitRow {
  readonly place: LimitPlace;
  /** By generation; of a rolling limit empty. */
  readonly used: Map<number, Quantity>;
  readonly rolling: RollingUsage | undefined;
  readonly steps: StepChange[];
  held: Quantity;
  overdraft: Quantity;
  overdraftAt: Instant | null;
  changed: boolean;
}

/** The rows at these places, by the places' names; where none is stored, or one of an earlier definition, an empty one. */
export async function openLimitRows(
  from: Reads,
  places: Iterable<LimitPlace>,
  now: Instant,
): Promise<ReadonlyMap<string, OpenLimitRow>> {
  const wanted = [...new Map(Array.from(places, (place) => [place.name, place])).values()];
  if (wanted.length === 0) return new Map();
  const rows = await from.read(limitRow, wanted.map(keyOfPlace));
  return new Map(wanted.map((place, index) => [place.name, openRow(place, rows[index], now)]));
}

function openRow(place: LimitPlace, row: Row<typeof limitRow> | undefined, now: Instant): OpenLimitRow {
  if (row === undefined || row.version !== place.hard.limit.version) return emptyLimitRow(place, now);
  return {
    place,
    used: new Map(
      Object.entries(row.used).map(([generation, used]) => [Number(generation), fromDecimalString(used)]),
    ),
    rolling: row.steps.length === 0 ? undefined : unpackRolling(row.steps),
    steps: [],
    held: fromDecimalString(row.held),
    overdraft: fromDecimalString(row.overdraft),
    overdraftAt: row.overdraftAt,
    changed: false,
  };
}

export function emptyLimitRow(place: LimitPlace, now: Instant): OpenLimitRow {
  const { period } = place.hard;
  const rolling = period.kind === 'rolling' ? emptyRolling(floorAt(period.window, now)) : undefined;
  return {
    place,
    used: new Map(),
    rolling,
    steps: [],
    held: 0,
    overdraft: 0,
    overdraftAt: null,
    changed: false,
  };
}

/** What counts against the limit at `now`, by one generation of the meter, with the changes made so far. */
export function usedOf(row: OpenLimitRow, generation: number, now: Instant): Quantity {
  const { period } = row.place.hard;
  if (period.kind === 'every' || row.rolling === undefined) return row.used.get(generation) ?? 0;
  const first = firstStepAt(period.window, now);
  let used = usedInWindow(row.rolling, generation, first);
  for (const change of row.steps)
    if (change.generation === generation && change.step >= Math.max(first, row.rolling.floor))
      used = add(used, change.quantity);
  return used;
}

/** What is left for a grant: may be negative. */
export const roomOf = (row: OpenLimitRow, generation: number, now: Instant): Quantity =>
  subtract(amountOf(row.place.hard.limit.amount), add(usedOf(row, generation, now), row.held));

/** Adds usage of an event's time. */
export function addUsed(row: OpenLimitRow, generation: number, at: Instant, quantity: Quantity): void {
  const { period } = row.place.hard;
  row.changed = true;
  if (period.kind === 'rolling') row.steps.push({ generation, step: stepOf(period.window, at), quantity });
  else row.used.set(generation, add(row.used.get(generation) ?? 0, quantity));
}

/** Adds to what is held; never below nothing, which only a defect or other zone data could ask for. */
export function addHeld(row: OpenLimitRow, quantity: Quantity): void {
  const held = add(row.held, quantity);
  row.held = compare(held, 0) < 0 ? 0 : held;
  row.changed = true;
}

/** Writes the rows that were changed; says how many. */
export function writeLimitRows(tx: Transaction, rows: Iterable<OpenLimitRow>, now: Instant): number {
  let written = 0;
  for (const row of rows) {
    if (!row.changed) continue;
    tx.upsert(limitRow, toRow(row, now));
    written++;
  }
  return written;
}

function toRow(row: OpenLimitRow, now: Instant): Row<typeof limitRow> {
  const { of, limit, period } = row.place.hard;
  const { namespace, customer, feature } = of;
  const steps =
    period.kind === 'rolling' && row.rolling !== undefined
      ? packRolling(changeRolling(row.rolling, row.steps, floorAt(period.window, now)))
      : NO_STEPS;
  return {
    namespace,
    customer,
    feature,
    limitKey: limit.key,
    periodStart: row.place.periodStart,
    periodEnd: row.place.periodEnd,
    version: limit.version,
    used: Object.fromEntries(
      [...row.used].map(([generation, used]) => [String(generation), toDecimalString(used)]),
    ),
    steps,
    held: toDecimalString(row.held),
    amount: limit.amount,
    overdraft: toDecimalString(row.overdraft),
    overdraftAt: row.overdraftAt,
  };
}

const NO_STEPS = new Uint8Array(0);
