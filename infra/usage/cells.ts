import { dayOf, hourStart, type DayIndex } from '#domain/instant.ts';
import { type Batch, type CellChange, type DistinctChange } from '#domain/metering/batch.ts';
import { mergeDistinctValue, packMinutes, unpackMinutes } from '#domain/metering/distinct-value.ts';
import { addToHourCell } from '#domain/metering/hour-cell.ts';
import type { Transaction } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import { readClosedSeries, writeClosedSeries, type ClosedSeries } from './closed-days.ts';
import { distinctValue, usageHour, type Row } from './tables.ts';

/** The cells of a batch as they are stored, in the order the batch lists them. */
export interface StoredCells {
  readonly slot: number;
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
  slot: number,
  closedThrough: (namespace: string) => DayIndex,
): Promise<StoredCells> {
  const [hours, distincts, closed] = await Promise.all([
    tx.read(
      usageHour,
      batch.cells.map((cell) => hourKey(cell, slot)),
    ),
    tx.read(distinctValue, batch.distincts.map(distinctKey)),
    readClosedSeries(
      tx,
      batch.cells.filter((cell) => dayOf(hourStart(cell.hour)) <= closedThrough(cell.namespace)),
    ),
  ]);
  return { slot, hours, distincts, closed };
}

/** Writes every cell that the applied events changed; returns the rows. */
export async function writeCells(tx: Transaction, batch: Batch, stored: StoredCells): Promise<number> {
  let rows = 0;
  batch.cells.forEach((cell, index) => {
    if (cell.minutes.length === 0) return;
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
    if (each.change.minutes.size > 0) rows += writeDistinct(tx, each, stored.distincts[index]);
  });
  return rows + writeClosedSeries(tx, stored.closed);
}

function writeDistinct(
  tx: Transaction,
  of: DistinctChange,
  stored: Row<typeof distinctValue> | undefined,
): number {
  const { namespace, subject, meter, day, group, valueHash } = of;
  const value = unpackMinutes(stored?.minutes ?? new Uint8Array(0));
  mergeDistinctValue(value, of.change);
  const key = { namespace, subject, meter: meter.key, generation: meter.generation, day, group, valueHash };
  if (value.references === 0) tx.delete(distinctValue, distinctKey(of));
  else tx.upsert(distinctValue, { ...key, references: value.references, minutes: packMinutes(value) });
  return 1;
}
