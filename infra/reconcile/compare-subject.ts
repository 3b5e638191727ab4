import { HOURS_PER_DAY } from '#domain/instant.ts';
import type { Accumulator, Aggregation } from '#domain/metering/accumulator.ts';
import {
  addHourToDay,
  emptyDayCell,
  packDayCell,
  unpackDayCell,
  type DayCell,
} from '#domain/metering/day-cell.ts';
import { unpackMinutes } from '#domain/metering/distinct-value.ts';
import { fingerprintToHash, isZeroFingerprint } from '#domain/metering/fingerprint.ts';
import { toHex } from '#domain/metering/hash128.ts';
import {
  emptyHourCell,
  mergeHourCell,
  packHourCell,
  unpackHourCell,
  type HourCell,
} from '#domain/metering/hour-cell.ts';
import { add, toDecimalString, type Quantity } from '#domain/metering/quantity.ts';
import {
  ownerOf,
  type CellOwner,
  type NewHour,
  type NewValue,
  type StoredDay,
} from '#infra/usage/replace-cells.ts';
import type { usageDay, Row } from '#infra/usage/tables.ts';
import type { CellContent, DifferenceKind } from './tables.ts';

/** What a subject's day is in the store, all of one snapshot. */
export interface StoredSubject {
  readonly subject: string;
  readonly cells: StoredDay;
  /** Its day rows; undefined while readers do not use those of that day. */
  readonly days: readonly Row<typeof usageDay>[] | undefined;
  /** Time-weighted: the level of the total when the day begins, as the row before it has it. */
  readonly level: Quantity;
}

export interface Comparison {
  readonly aggregation: Aggregation;
  /** Whose cells are compared. */
  readonly owners: ReadonlySet<CellOwner>;
  readonly hours: readonly NewHour[];
  readonly values: readonly NewValue[];
}

export interface Difference {
  /** Its place within the day. */
  readonly cell: string;
  readonly view: number;
  readonly hour: number | null;
  readonly group: string;
  readonly kind: DifferenceKind;
  readonly stored: CellContent | null;
  readonly expected: CellContent | null;
}

/** Every cell of a subject's day that is not what its events make it; none where all are. */
export function compareSubject(stored: StoredSubject, expected: Comparison): Difference[] {
  const hours = hoursByCell(stored, expected);
  return [
    ...[...hours.values()].flatMap((each) => differenceOf(expected.aggregation, each)),
    ...compareDays(stored, expected, hours),
    ...compareValues(stored, expected),
  ];
}

/** One hour cell of one owner: what the slots hold together, and what the events come to. */
interface HourPair {
  readonly owner: CellOwner;
  readonly view: number;
  readonly hour: number;
  readonly group: string;
  stored: HourCell | undefined;
  expected: HourCell | undefined;
}

function hoursByCell({ cells }: StoredSubject, { aggregation, hours }: Comparison): Map<string, HourPair> {
  const pairs = new Map<string, HourPair>();
  const pairOf = (owner: CellOwner, view: number, hour: number, group: string): HourPair => {
    const name = JSON.stringify([owner, view, hour, group]);
    const known = pairs.get(name) ?? { owner, view, hour, group, stored: undefined, expected: undefined };
    pairs.set(name, known);
    return known;
  };
  for (const row of cells.hours) {
    const pair = pairOf(ownerOf(row), row.view, row.hour, row.group);
    const cell = unpackHourCell(aggregation, row);
    if (pair.stored === undefined) pair.stored = cell;
    else mergeHourCell(pair.stored, aggregation, cell);
  }
  for (const { by, view, hour, group, cell } of hours)
    pairOf(by, view, hour, group).expected = unpackHourCell(aggregation, cell);
  return pairs;
}

/** What voids have emptied is no cell. */
const isEmpty = ({ totals, dirty }: Held): boolean => !hasEvents(totals) && !dirty;
const hasEvents = (totals: Accumulator): boolean => totals.count !== 0 || !isZeroFingerprint(totals);

function differenceOf(
  aggregation: Aggregation,
  { owner, view, hour, group, stored, expected }: HourPair,
): Difference[] {
  const [is, shouldBe] = [stored && !isEmpty(stored) ? stored : undefined, expected];
  const kind = kindOf(is, shouldBe, () =>
    isSameHour(aggregation, is ?? emptyHourCell(), shouldBe ?? emptyHourCell()),
  );
  if (kind === undefined) return [];
  const cell = JSON.stringify(['hour', owner, view, hour, group]);
  return [
    {
      ...{ cell, view, hour, group, kind },
      stored: is ? contentOf(aggregation, is.totals) : null,
      expected: shouldBe ? contentOf(aggregation, shouldBe.totals) : null,
    },
  ];
}

function isSameHour(aggregation: Aggregation, a: HourCell, b: HourCell): boolean {
  const [left, right] = [packHourCell(aggregation, a), packHourCell(aggregation, b)];
  return (
    left.fingerprint === right.fingerprint &&
    Buffer.compare(left.minutes, right.minutes) === 0 &&
    Buffer.compare(left.totals, right.totals) === 0
  );
}

interface Held {
  readonly totals: Accumulator;
  readonly dirty: boolean;
}

function kindOf(
  stored: Held | undefined,
  expected: Held | undefined,
  isSame: () => boolean,
): DifferenceKind | undefined {
  if (stored === undefined) return expected === undefined ? undefined : 'missing';
  if (expected === undefined) return hasEvents(stored.totals) ? 'surplus' : 'dirty';
  const sameEvents =
    stored.totals.count === expected.totals.count &&
    fingerprintToHash(stored.totals) === fingerprintToHash(expected.totals);
  if (!sameEvents) return 'events';
  if (!isSame()) return stored.dirty ? 'dirty' : 'value';
  return stored.dirty ? 'dirty' : undefined;
}

const contentOf = (aggregation: Aggregation, totals: Accumulator): CellContent => ({
  events: totals.count,
  value: aggregation === 'count' || aggregation === 'unique' ? null : toDecimalString(totals.value),
  fingerprint: toHex(fingerprintToHash(totals)),
});

/** Day rows are judged by the hours as they should be; of owners that are not compared, by those that are there. */
function compareDays(
  stored: StoredSubject,
  { aggregation, owners }: Comparison,
  hours: ReadonlyMap<string, HourPair>,
): Difference[] {
  if (stored.days === undefined) return [];
  const expected = new Map<string, DayCell>();
  for (const { owner, view, hour, group, ...pair } of hours.values()) {
    const cell = owners.has(owner) ? pair.expected : pair.stored;
    if (cell === undefined || isEmpty(cell)) continue;
    const name = JSON.stringify([view, group]);
    const day = expected.get(name) ?? emptyDayCell();
    expected.set(name, day);
    addHourToDay(day, aggregation, hour % HOURS_PER_DAY, cell.totals);
  }
  const rows = new Map(
    stored.days.map((row) => [JSON.stringify([row.view, row.group]), unpackDayCell(aggregation, row)]),
  );
  return [...new Set([...expected.keys(), ...rows.keys()])].flatMap((name) => {
    const [view, group] = JSON.parse(name) as [number, string];
    const level = view === 0 ? stored.level : undefined;
    return dayDifference(aggregation, { view, group, level }, rows.get(name), expected.get(name));
  });
}

function dayDifference(
  aggregation: Aggregation,
  {
    view,
    group,
    level,
  }: { readonly view: number; readonly group: string; readonly level: Quantity | undefined },
  row: DayCell | undefined,
  expected: DayCell | undefined,
): Difference[] {
  const is = row && !isEmpty(row) ? row : undefined;
  const weighted = aggregation === 'timeWeightedSum';
  const shouldBegin = weighted ? (level ?? is?.carry ?? 0) : 0;
  const kind = kindOf(is, expected, () =>
    isSameDay(
      aggregation,
      { ...(is ?? emptyDayCell()) },
      { ...(expected ?? emptyDayCell()), carry: shouldBegin },
    ),
  );
  if (kind === undefined) return [];
  const contentOfDay = (cell: DayCell, carry: Quantity): CellContent => ({
    ...contentOf(aggregation, cell.totals),
    ...(weighted ? { level: toDecimalString(carry) } : {}),
  });
  return [
    {
      ...{ cell: JSON.stringify(['day', view, group]), view, hour: null, group, kind },
      stored: is ? contentOfDay(is, is.carry) : null,
      expected: expected ? contentOfDay(expected, shouldBegin) : null,
    },
  ];
}

function isSameDay(aggregation: Aggregation, a: DayCell, b: DayCell): boolean {
  const [left, right] = [packDayCell(aggregation, a), packDayCell(aggregation, b)];
  return (
    left.fingerprint === right.fingerprint &&
    Buffer.compare(left.totals, right.totals) === 0 &&
    Buffer.compare(left.carry, right.carry) === 0
  );
}

function compareValues({ cells }: StoredSubject, { owners, values }: Comparison): Difference[] {
  const differences: Difference[] = [];
  for (const owner of owners) {
    const rows = new Map(
      cells.values[owner].map((row) => [JSON.stringify([row.group, toHex(row.valueHash)]), row]),
    );
    for (const { by, group, valueHash, minutes } of values) {
      if (by !== owner) continue;
      const name = JSON.stringify([group, toHex(valueHash)]);
      const row = rows.get(name);
      rows.delete(name);
      if (row !== undefined && Buffer.compare(row.minutes, minutes) === 0) continue;
      differences.push(valueDifference(owner, group, toHex(valueHash), [row?.minutes, minutes]));
    }
    for (const { group, valueHash, minutes } of rows.values())
      differences.push(valueDifference(owner, group, toHex(valueHash), [minutes, undefined]));
  }
  return differences;
}

function valueDifference(
  owner: CellOwner,
  group: string,
  valueHash: string,
  [stored, expected]: readonly [Uint8Array | undefined, Uint8Array | undefined],
): Difference {
  const contentOfValue = (minutes: Uint8Array | undefined): CellContent | null =>
    minutes === undefined
      ? null
      : { events: unpackMinutes(minutes).references, value: valueHash, fingerprint: '' };
  const kind = stored === undefined ? 'missing' : expected === undefined ? 'surplus' : 'events';
  return {
    ...{ cell: JSON.stringify(['value', owner, group, valueHash]), view: 0, hour: null, group, kind },
    stored: contentOfValue(stored),
    expected: contentOfValue(expected),
  };
}

/** Whether the view has fewer events than a cell: it may have lost some, or the cell may have counted some twice, and it cannot be told which. */
export const viewHasFewer = (differences: readonly Difference[]): boolean =>
  differences.some(({ stored, expected }) => (stored?.events ?? 0) > (expected?.events ?? 0));

/** The level after a day row. */
export const levelAfter = ({ carry, totals }: DayCell): Quantity => add(carry, totals.value);
