import { HOURS_PER_DAY, type DayIndex } from '#domain/instant.ts';
import type { Aggregation } from '#domain/metering/accumulator.ts';
import { GROUP_VIEW, TOTAL_VIEW } from '#domain/metering/batch.ts';
import {
  addHourToDay,
  emptyDayCell,
  packDayCell,
  unpackDayCell,
  type DayCell,
} from '#domain/metering/day-cell.ts';
import { unpackMinutes } from '#domain/metering/distinct-value.ts';
import { unpackHourCell, type PackedHourCell } from '#domain/metering/hour-cell.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { add, type Quantity } from '#domain/metering/quantity.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import { BACKFILL_SLOT, backfilledValue, distinctValue, usageDay, usageHour, type Row } from './tables.ts';

/** One generation of a meter, one subject, one UTC day. */
export interface SubjectDay {
  readonly namespace: string;
  readonly subject: string;
  readonly meter: string;
  readonly generation: number;
  readonly aggregation: Aggregation;
  readonly day: DayIndex;
}

/** Whose cells: those of the events that the stream counted, or that a backfill did. */
export type CellOwner = 'stream' | 'backfill';

export interface NewHour {
  readonly by: CellOwner;
  readonly view: number;
  readonly hour: number;
  readonly group: string;
  readonly cell: PackedHourCell;
}

export interface NewValue {
  readonly by: CellOwner;
  readonly group: string;
  readonly valueHash: Hash128;
  readonly minutes: Uint8Array;
}

type HourRow = Row<typeof usageHour>;
type ValueRow = Row<typeof distinctValue>;

/** All rows of a subject's day beside its day rows. */
export interface StoredDay {
  readonly hours: readonly HourRow[];
  readonly values: Readonly<Record<CellOwner, readonly ValueRow[]>>;
}

/** What the cells of the stream are gathered in when they are computed again: which slot counted an event is then of no interest. */
const STREAM_SLOT = 0;

export const ownerOf = ({ slot }: Pick<HourRow, 'slot'>): CellOwner =>
  slot === BACKFILL_SLOT ? 'backfill' : 'stream';

const VALUE_TABLES = { stream: distinctValue, backfill: backfilledValue } as const;

const seriesKey = ({ namespace, subject, meter, generation }: SubjectDay): Key => [
  namespace,
  subject,
  meter,
  generation,
];

export async function readStoredDay(from: Reads, of: SubjectDay): Promise<StoredDay> {
  const series = seriesKey(of);
  const range = { from: of.day * HOURS_PER_DAY, to: (of.day + 1) * HOURS_PER_DAY };
  const hoursIn = (view: number): Promise<HourRow[]> =>
    Array.fromAsync(from.scan(usageHour, { prefix: [...series, view], ...range }));
  const valuesOf = async (owner: CellOwner): Promise<ValueRow[]> =>
    of.aggregation === 'unique'
      ? Array.fromAsync(from.scan(VALUE_TABLES[owner], { prefix: series, from: of.day, to: of.day + 1 }))
      : [];
  const [totals, groups, stream, backfill] = await Promise.all([
    hoursIn(TOTAL_VIEW),
    hoursIn(GROUP_VIEW),
    valuesOf('stream'),
    valuesOf('backfill'),
  ]);
  return { hours: [...totals, ...groups], values: { stream, backfill } };
}

export interface ReplaceCells {
  readonly stored: StoredDay;
  /** Absolute: whatever is not among them is not there any more. */
  readonly hours: readonly NewHour[];
  readonly values: readonly NewValue[];
  /** Whose cells are replaced; the others stay. */
  readonly owners: ReadonlySet<CellOwner>;
  /** Only these series (view and group); all where nothing is said. */
  readonly handles?: ((view: number, group: string) => boolean) | undefined;
  /** Days up to here have day rows, which follow. */
  readonly closedThrough: DayIndex;
}

/**
 * Puts cells in the place of those that are there, and makes the day rows anew from all hours of the day, whoever counted them. Doing it again
 * changes nothing. Returns the rows written.
 */
export async function replaceCells(tx: Transaction, of: SubjectDay, replace: ReplaceCells): Promise<number> {
  const { stored, closedThrough } = replace;
  const { handles = () => true } = replace;
  const replaced = stored.hours.filter(
    (row) => replace.owners.has(ownerOf(row)) && handles(row.view, row.group),
  );
  const kept = stored.hours.filter((row) => !replaced.includes(row) && handles(row.view, row.group));
  const next = replace.hours
    .filter(({ view, group }) => handles(view, group))
    .map((hour) => hourRow(of, hour));
  let rows = writeHours(tx, replaced, next);
  if (handles(TOTAL_VIEW, '')) rows += writeValues(tx, of, replace);
  if (of.day <= closedThrough) rows += await writeDays(tx, of, [...kept, ...next], handles);
  return rows;
}

const hourRow = (of: SubjectDay, { by, view, hour, group, cell }: NewHour): HourRow => ({
  namespace: of.namespace,
  subject: of.subject,
  meter: of.meter,
  generation: of.generation,
  view,
  hour,
  group,
  slot: by === 'backfill' ? BACKFILL_SLOT : STREAM_SLOT,
  totals: cell.totals,
  minutes: cell.minutes,
  fingerprint: cell.fingerprint,
  dirty: false,
});

const keyOf = (row: HourRow): Key => [
  row.namespace,
  row.subject,
  row.meter,
  row.generation,
  row.view,
  row.hour,
  row.group,
  row.slot,
];

function writeHours(tx: Transaction, replaced: readonly HourRow[], next: readonly HourRow[]): number {
  const before = new Map(replaced.map((row) => [JSON.stringify(keyOf(row)), row]));
  let written = 0;
  for (const row of next) {
    const known = before.get(JSON.stringify(keyOf(row)));
    before.delete(JSON.stringify(keyOf(row)));
    if (known !== undefined && isSame(known, row)) continue;
    tx.upsert(usageHour, row);
    written++;
  }
  for (const row of before.values()) tx.delete(usageHour, keyOf(row));
  return written + before.size;
}

const isSame = (a: HourRow, b: HourRow): boolean =>
  a.fingerprint === b.fingerprint &&
  a.dirty === b.dirty &&
  Buffer.compare(a.minutes, b.minutes) === 0 &&
  Buffer.compare(a.totals, b.totals) === 0;

function writeValues(tx: Transaction, of: SubjectDay, { stored, values, owners }: ReplaceCells): number {
  let written = 0;
  for (const owner of owners) {
    const table = VALUE_TABLES[owner];
    const gone = new Map(
      stored.values[owner].map((row) => [JSON.stringify([row.group, row.valueHash]), row]),
    );
    for (const { by, group, valueHash, minutes } of values) {
      if (by !== owner) continue;
      gone.delete(JSON.stringify([group, valueHash]));
      const { namespace, subject, meter, generation, day } = of;
      const { references } = unpackMinutes(minutes);
      tx.upsert(table, { namespace, subject, meter, generation, day, group, valueHash, references, minutes });
      written++;
    }
    for (const { group, valueHash } of gone.values())
      tx.delete(table, [...seriesKey(of), of.day, group, valueHash]);
    written += gone.size;
  }
  return written;
}

/** Absolute day rows from all hours, and the levels of later days where they follow from them. */
async function writeDays(
  tx: Transaction,
  of: SubjectDay,
  hours: readonly HourRow[],
  handles: (view: number, group: string) => boolean,
): Promise<number> {
  let written = 0;
  for (const view of [TOTAL_VIEW, GROUP_VIEW]) {
    const prefix = [...seriesKey(of), view];
    const cells = new Map<string, DayCell>();
    for (const row of hours) {
      if (row.view !== view) continue;
      const cell = cells.get(row.group) ?? emptyDayCell();
      cells.set(row.group, cell);
      addHourToDay(cell, of.aggregation, row.hour, unpackHourCell(of.aggregation, row).totals);
      cell.dirty ||= row.dirty;
    }
    const stale: string[] = [];
    for await (const row of tx.scan(usageDay, { prefix, from: of.day, to: of.day + 1 }))
      if (handles(view, row.group) && !cells.has(row.group)) stale.push(row.group);
    if (cells.size === 0 && stale.length === 0) continue;
    if (of.aggregation === 'timeWeightedSum') written += await writeLevels(tx, of, { view, cells, stale });
    for (const [group, cell] of cells) tx.upsert(usageDay, dayRow(of, { view, day: of.day, group }, cell));
    for (const group of stale) tx.delete(usageDay, [...prefix, of.day, group]);
    written += cells.size + stale.length;
  }
  return written;
}

interface DayOfView {
  readonly view: number;
  readonly cells: ReadonlyMap<string, DayCell>;
  /** Groups that have nothing on the day any more. */
  readonly stale: readonly string[];
}

/** Sets the levels that the day begins with, and those that later days begin with. */
async function writeLevels(
  tx: Transaction,
  of: SubjectDay,
  { view, cells, stale }: DayOfView,
): Promise<number> {
  const prefix = [...seriesKey(of), view];
  const levels = new Map<string, Quantity>();
  const missing = new Set([...cells.keys(), ...stale]);
  for await (const row of tx.scan(usageDay, { prefix, to: of.day }, { reverse: true })) {
    if (!missing.delete(row.group)) continue;
    const { carry, totals } = unpackDayCell(of.aggregation, row);
    levels.set(row.group, add(carry, totals.value));
    if (missing.size === 0) break;
  }
  for (const group of [...cells.keys(), ...stale]) {
    const cell = cells.get(group);
    const level = levels.get(group) ?? 0;
    if (cell !== undefined) cell.carry = level;
    levels.set(group, add(level, cell?.totals.value ?? 0));
  }
  let written = 0;
  for await (const row of tx.scan(usageDay, { prefix, from: of.day + 1 })) {
    const level = levels.get(row.group);
    if (level === undefined) continue;
    const cell = unpackDayCell(of.aggregation, row);
    levels.set(row.group, add(level, cell.totals.value));
    if (cell.carry === level) continue;
    cell.carry = level;
    tx.upsert(usageDay, dayRow(of, { view, day: row.day, group: row.group }, cell));
    written++;
  }
  return written;
}

const dayRow = (
  of: SubjectDay,
  place: Pick<Row<typeof usageDay>, 'view' | 'day' | 'group'>,
  cell: DayCell,
): Row<typeof usageDay> => ({
  namespace: of.namespace,
  subject: of.subject,
  meter: of.meter,
  generation: of.generation,
  ...place,
  ...packDayCell(of.aggregation, cell),
});
