import {
  dayOf,
  hourStart,
  HOURS_PER_DAY,
  MICROS_PER_DAY,
  type DayIndex,
  type HourIndex,
  type Instant,
} from '#domain/instant.ts';
import { type Batch, type CellChange, type DistinctChange } from '#domain/metering/batch.ts';
import { mergeDistinctValue, packMinutes, unpackMinutes } from '#domain/metering/distinct-value.ts';
import { addToHourCell } from '#domain/metering/hour-cell.ts';
import type { Transaction } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import { readClosedSeries, writeClosedSeries, type ClosedSeries } from './closed-days.ts';
import {
  BACKFILL_SLOT,
  backfilledValue,
  distinctValue,
  HOUR_CELL_DAYS,
  usageHour,
  type Row,
} from './tables.ts';

/** Where the cells of a batch are. */
export interface CellPlaces {
  /** The writer's slot of the hour cells. */
  readonly slot: number;
  /** What is of earlier hours goes into day rows only: hour cells, and distinct values, of that age are not kept any more. */
  readonly hoursFrom: HourIndex;
}

/** No event that comes over a topic is as old as that. */
export const ALL_HOURS: HourIndex = -Infinity;

/** The first hour that still has cells at `now`: that of a day which has all its hours, so that no day is told in two ways. */
export const hoursKeptFrom = (now: Instant): HourIndex =>
  (dayOf(now - HOUR_CELL_DAYS * MICROS_PER_DAY) + 1) * HOURS_PER_DAY;

/** The distinct values of the events whose hour cells are in a slot. */
export const valuesOfSlot = (slot: number): typeof distinctValue =>
  slot === BACKFILL_SLOT ? backfilledValue : distinctValue;

/** The cells of a batch as they are stored, in the order the batch lists them. */
export interface StoredCells extends CellPlaces {
  readonly hours: readonly (Row<typeof usageHour> | undefined)[];
  readonly distincts: readonly (Row<typeof distinctValue> | undefined)[];
  readonly closed: readonly ClosedSeries[];
}

const hourKey = (cell: CellChange, slot: number): Key => [
  cell.namespace,
  cell.subject,
  cell.meter.key,
  cell.meter.generation,
  cell.view,
  cell.hour,
  cell.group,
  slot,
];

const distinctKey = (of: DistinctChange): Key => [
  of.namespace,
  of.subject,
  of.meter.key,
  of.meter.generation,
  of.day,
  of.group,
  of.valueHash,
];

export async function readCells(
  tx: Transaction,
  batch: Batch,
  { slot, hoursFrom }: CellPlaces,
  closedThrough: (namespace: string) => DayIndex,
): Promise<StoredCells> {
  const [hours, distincts, closed] = await Promise.all([
    tx.read(
      usageHour,
      batch.cells.map((cell) => hourKey(cell, slot)),
    ),
    tx.read(valuesOfSlot(slot), batch.distincts.map(distinctKey)),
    readClosedSeries(
      tx,
      batch.cells.filter((cell) => dayOf(hourStart(cell.hour)) <= closedThrough(cell.namespace)),
    ),
  ]);
  return { slot, hoursFrom, hours, distincts, closed };
}

/** Writes every cell that the applied events changed; returns the rows. */
export async function writeCells(tx: Transaction, batch: Batch, stored: StoredCells): Promise<number> {
  let rows = 0;
  batch.cells.forEach((cell, index) => {
    if (cell.minutes.length === 0 || cell.hour < stored.hoursFrom) return;
    const { namespace, subject, meter, view, hour, group } = cell;
    const packed = addToHourCell(stored.hours[index], meter.aggregation, cell.minutes);
    tx.upsert(usageHour, {
      namespace,
      subject,
      meter: meter.key,
      generation: meter.generation,
      view,
      hour,
      group,
      slot: stored.slot,
      totals: packed.totals,
      minutes: packed.minutes,
      fingerprint: packed.fingerprint,
      dirty: packed.dirty,
    });
    rows++;
  });
  batch.distincts.forEach((each, index) => {
    if (each.change.minutes.size === 0 || each.day * HOURS_PER_DAY < stored.hoursFrom) return;
    rows += writeDistinct(tx, valuesOfSlot(stored.slot), each, stored.distincts[index]);
  });
  return rows + writeClosedSeries(tx, stored.closed);
}

function writeDistinct(
  tx: Transaction,
  table: typeof distinctValue,
  of: DistinctChange,
  stored: Row<typeof distinctValue> | undefined,
): number {
  const { namespace, subject, meter, day, group, valueHash } = of;
  const value = unpackMinutes(stored?.minutes ?? new Uint8Array(0));
  mergeDistinctValue(value, of.change);
  const key = { namespace, subject, meter: meter.key, generation: meter.generation, day, group, valueHash };
  if (value.references === 0) tx.delete(table, distinctKey(of));
  else tx.upsert(table, { ...key, references: value.references, minutes: packMinutes(value) });
  return 1;
}
