import { dayOf, hourStart, type DayIndex } from '#domain/instant.ts';
import type { CellChange } from '#domain/metering/batch.ts';
import {
  addHourToDay,
  addToSeries,
  emptyDayCell,
  packDayCell,
  unpackDayCell,
  type DayCell,
  type SeriesDay,
} from '#domain/metering/day-cell.ts';
import type { Transaction } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import { usageDay, type Row } from './tables.ts';

/**
 * The series whose closed days a batch's late events change. Few: only events later than the declared lateness come here.
 */
export interface ClosedSeries {
  /** Any of the changes: it names the series. */
  readonly of: CellChange;
  readonly changes: readonly CellChange[];
  /** The stored days that the changes may touch, in order. */
  readonly rows: readonly Row<typeof usageDay>[];
}

const dayOfChange = (cell: CellChange): DayIndex => dayOf(hourStart(cell.hour));

const prefixOf = ({ namespace, subject, meter, view }: CellChange): Key => [
  namespace,
  subject,
  meter.key,
  meter.generation,
  view,
];

export async function readClosedSeries(
  tx: Transaction,
  cells: readonly CellChange[],
): Promise<ClosedSeries[]> {
  const series = new Map<string, CellChange[]>();
  for (const cell of cells) {
    const name = JSON.stringify([...prefixOf(cell), cell.group]);
    const known = series.get(name);
    if (known) known.push(cell);
    else series.set(name, [cell]);
  }
  return Promise.all([...series.values()].map((changes) => readSeries(tx, changes)));
}

async function readSeries(tx: Transaction, changes: readonly CellChange[]): Promise<ClosedSeries> {
  const [of] = changes;
  if (of === undefined) throw new RangeError('a series has at least one change');
  const days = [...new Set(changes.map(dayOfChange))].sort((a, b) => a - b);
  const rows =
    of.meter.aggregation === 'timeWeightedSum'
      ? await levelRows(tx, of, days[0] ?? 0)
      : await dayRows(tx, of, days);
  return { of, changes, rows };
}

async function dayRows(
  tx: Transaction,
  of: CellChange,
  days: readonly DayIndex[],
): Promise<Row<typeof usageDay>[]> {
  const rows = await tx.read(
    usageDay,
    days.map((day) => [...prefixOf(of), day, of.group]),
  );
  return rows.filter((row) => row !== undefined);
}

/** The row before the earliest change, which tells the level there, and every row from it on, whose levels rise. */
async function levelRows(
  tx: Transaction,
  of: CellChange,
  earliest: DayIndex,
): Promise<Row<typeof usageDay>[]> {
  const rows: Row<typeof usageDay>[] = [];
  const prefix = prefixOf(of);
  for await (const row of tx.scan(usageDay, { prefix, to: earliest }, { reverse: true })) {
    if (row.group !== of.group) continue;
    rows.push(row);
    break;
  }
  for await (const row of tx.scan(usageDay, { prefix, from: earliest }))
    if (row.group === of.group) rows.push(row);
  return rows;
}

/** Adds the batch's changes to the day rows; returns the rows written. */
export function writeClosedSeries(tx: Transaction, series: readonly ClosedSeries[]): number {
  let written = 0;
  for (const { of, changes, rows } of series) {
    const { aggregation } = of.meter;
    const days = rows.map((row): SeriesDay => ({ day: row.day, cell: unpackDayCell(aggregation, row) }));
    for (const { day, cell } of addToSeries(aggregation, days, changesByDay(changes))) {
      tx.upsert(usageDay, dayRow(of, day, cell));
      written++;
    }
  }
  return written;
}

function changesByDay(changes: readonly CellChange[]): Map<DayIndex, DayCell> {
  const byDay = new Map<DayIndex, DayCell>();
  for (const cell of changes) {
    if (cell.minutes.length === 0) continue;
    const day = dayOfChange(cell);
    const change = byDay.get(day) ?? emptyDayCell();
    byDay.set(day, change);
    for (const { accumulator } of cell.minutes)
      addHourToDay(change, cell.meter.aggregation, cell.hour, accumulator);
  }
  return byDay;
}

export function dayRow(of: CellChange, day: DayIndex, cell: DayCell): Row<typeof usageDay> {
  const { namespace, subject, meter, view, group } = of;
  const key = { namespace, subject, meter: meter.key, generation: meter.generation, view, day, group };
  return { ...key, ...packDayCell(meter.aggregation, cell) };
}
