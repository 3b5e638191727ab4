import { HOURS_PER_DAY, type DayIndex } from '#domain/instant.ts';
import type { Aggregation } from '#domain/metering/accumulator.ts';
import {
  addHourToDay,
  emptyDayCell,
  packDayCell,
  unpackDayCell,
  type DayCell,
} from '#domain/metering/day-cell.ts';
import { unpackHourCell } from '#domain/metering/hour-cell.ts';
import { add, type Quantity } from '#domain/metering/quantity.ts';
import type { Transaction } from '#infra/database/database.ts';
import { usageDay, usageHour, type Row } from './tables.ts';

/** One meter's usage of one subject in one view: namespace, subject, meter, generation, view. */
export type Series = readonly [string, string, string, number, number];

export interface SeriesRoll {
  readonly day: DayIndex;
  readonly aggregation: Aggregation;
  /** Hour rows that this very transaction replaces, and that its reads therefore do not show. */
  readonly replaced?: readonly Row<typeof usageHour>[];
}

/** Writes the absolute day rows of one series, group by group, from its hour cells. */
export async function rollSeries(tx: Transaction, series: Series, roll: SeriesRoll): Promise<void> {
  await writeDay(tx, series, roll, await dayCellsOf(tx, series, roll));
}

export interface DayRoll {
  readonly day: DayIndex;
  /** Of one namespace, in the order of their keys: neighbours lie together in each hour. */
  readonly series: readonly Series[];
  readonly aggregationOf: (series: Series) => Aggregation;
}

/** The same of many series in one look at each hour of the day. */
export async function rollTogether(tx: Transaction, { day, series, aggregationOf }: DayRoll): Promise<void> {
  const [first, last] = [series[0], series.at(-1)];
  if (first === undefined || last === undefined) return;
  const rolls = new Map(
    series.map((each) => [
      JSON.stringify(each),
      { series: each, aggregation: aggregationOf(each), cells: new Map<string, DayCell>() },
    ]),
  );
  const range = { prefix: [first[0]], from: first[1], to: `${last[1]}\0` };
  const partition = { from: day * HOURS_PER_DAY, to: (day + 1) * HOURS_PER_DAY };
  for await (const row of tx.scan(usageHour, range, { partition })) {
    // A series that is not among them is rolled with others, or writes its day itself.
    const roll = rolls.get(JSON.stringify(seriesOf(row)));
    if (roll !== undefined) addRow(roll.cells, roll.aggregation, row);
  }
  for (const roll of rolls.values())
    await writeDay(tx, roll.series, { day, aggregation: roll.aggregation }, roll.cells);
}

export const seriesOf = ({ namespace, subject, meter, generation, view }: Row<typeof usageHour>): Series => [
  namespace,
  subject,
  meter,
  generation,
  view,
];

async function writeDay(
  tx: Transaction,
  series: Series,
  { day, aggregation }: SeriesRoll,
  cells: Map<string, DayCell>,
): Promise<void> {
  const [namespace, subject, meter, generation, view] = series;
  if (aggregation === 'timeWeightedSum') await setLevels(tx, series, day, cells);
  for (const [group, cell] of cells) {
    tx.upsert(usageDay, {
      namespace,
      subject,
      meter,
      generation,
      view,
      day,
      group,
      ...packDayCell(aggregation, cell),
    });
  }
}

async function dayCellsOf(
  tx: Transaction,
  series: Series,
  { day, aggregation, replaced = [] }: SeriesRoll,
): Promise<Map<string, DayCell>> {
  const cells = new Map<string, DayCell>();
  const range = { prefix: series, from: day * HOURS_PER_DAY, to: (day + 1) * HOURS_PER_DAY };
  for await (const stored of tx.scan(usageHour, range)) {
    const row = replaced.find((each) => isSameRow(each, stored)) ?? stored;
    addRow(cells, aggregation, row);
  }
  return cells;
}

function addRow(cells: Map<string, DayCell>, aggregation: Aggregation, row: Row<typeof usageHour>): void {
  const cell = cells.get(row.group) ?? emptyDayCell();
  cells.set(row.group, cell);
  addHourToDay(cell, aggregation, row.hour, unpackHourCell(aggregation, row).totals);
  cell.dirty ||= row.dirty;
}

const isSameRow = (a: Row<typeof usageHour>, b: Row<typeof usageHour>): boolean =>
  a.hour === b.hour && a.group === b.group && a.slot === b.slot;

/** The level at the start of the day is the one at the end of the last day that has a row. */
async function setLevels(
  tx: Transaction,
  series: Series,
  day: DayIndex,
  cells: Map<string, DayCell>,
): Promise<void> {
  const missing = new Set(cells.keys());
  for await (const row of tx.scan(usageDay, { prefix: series, to: day }, { reverse: true })) {
    if (missing.delete(row.group)) {
      const cell = cells.get(row.group);
      if (cell) cell.carry = levelAfter(unpackDayCell('timeWeightedSum', row));
    }
    if (missing.size === 0) return;
  }
}

const levelAfter = ({ carry, totals }: DayCell): Quantity => add(carry, totals.value);
