import { Decimal } from 'decimal.js';
import type { ReadingPlan } from '#domain/usage/reading-plan.ts';
import type { LoadedDay, LoadedHour, LoadedValue, SubjectUsage } from '#domain/usage/loaded-usage.ts';
import type { IndexRange } from '#domain/usage/decompose.ts';
import type { UsageRow } from '#domain/usage/usage-rows.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import { isGrouped, windowsOf, type UsageQuery } from '#domain/usage/usage-query.ts';
import {
  MICROS_PER_MINUTE,
  dayOf,
  dayStart,
  hourOf,
  minuteOfHour,
  type DayIndex,
  type Instant,
} from '#domain/instant.ts';
import { accumulate, type Aggregation } from '#domain/metering/accumulator.ts';
import {
  addHourToDay,
  emptyDayCell,
  packDayCell,
  unpackDayCell,
  type DayCell,
} from '#domain/metering/day-cell.ts';
import { addReferences, emptyDistinctValue } from '#domain/metering/distinct-value.ts';
import { fingerprintOf } from '#domain/metering/fingerprint.ts';
import { toHex, type Hash128 } from '#domain/metering/hash128.ts';
import {
  emptyHourCell,
  minuteOf,
  packHourCell,
  unpackHourCell,
  type HourCell,
} from '#domain/metering/hour-cell.ts';
import { add, toDecimalString, type Quantity } from '#domain/metering/quantity.ts';

/** An event as one meter sees it. */
export interface MeteredEvent {
  readonly subject: string;
  readonly time: Instant;
  readonly identity: Hash128;
  readonly value: Quantity;
  /** `unique`: what it names. */
  readonly distinct: Hash128;
  /** Dimension values, in the order of the sorted names. */
  readonly group: readonly string[];
  readonly slot: number;
}

/* The cells that the pipeline would have written for the events, in the simplest way that can be thought of. */

/** What a loader would bring for a plan, and nothing else, so that a plan that asks for too little shows. */
export function loadPlan(
  query: UsageQuery,
  plan: ReadingPlan,
  events: readonly MeteredEvent[],
): SubjectUsage[] {
  return [...Map.groupBy(events, (event) => event.subject)].map(([subject, own]) => {
    const groups = [...Map.groupBy(own, (event) => (plan.view === 0 ? '' : JSON.stringify(event.group)))];
    const days = groups.flatMap(([group, of]) => dayRows(query, group, of));
    return {
      subject,
      days: days.filter(({ day }) => isWithin(plan.days, day)),
      hours: groups
        .flatMap(([group, of]) => hourRows(query.aggregation, group, of))
        .filter(({ hour }) => isWithin(plan.hours, hour)),
      values: valueRows(own).filter(({ day }) => isWithin(plan.valueDays, day)),
      levels: lastOfGroups(days.filter(({ day }) => plan.levelDay !== undefined && day <= plan.levelDay)),
    };
  });
}

const isWithin = (ranges: readonly IndexRange[], place: number): boolean =>
  ranges.some(({ from, to }) => from <= place && place < to);

const lastOfGroups = (days: readonly LoadedDay[]): LoadedDay[] =>
  [...Map.groupBy(days, ({ group }) => group).values()].map((of) =>
    of.reduce((a, b) => (a.day > b.day ? a : b)),
  );

function hourRows(aggregation: Aggregation, group: string, events: readonly MeteredEvent[]): LoadedHour[] {
  const rows = Map.groupBy(events, (event) => `${hourOf(event.time)}/${event.slot}`);
  return [...rows.values()].map((of) => ({
    group,
    hour: hourOf(of[0]!.time),
    cell: hourCell(aggregation, of),
  }));
}

/** The cell of events of one hour, as it comes back from the store. */
export function hourCell(aggregation: Aggregation, events: readonly MeteredEvent[]): HourCell {
  const cell = emptyHourCell();
  for (const event of events) {
    const contribution = { ...event, digest: fingerprintOf(event.identity) };
    accumulate(minuteOf(cell, minuteOfHour(event.time)), aggregation, contribution);
    accumulate(cell.totals, aggregation, contribution);
  }
  return unpackHourCell(aggregation, packHourCell(aggregation, cell));
}

function dayRows(query: UsageQuery, group: string, events: readonly MeteredEvent[]): LoadedDay[] {
  const days = [...Map.groupBy(events, (event) => dayOf(event.time))];
  return days
    .filter(([day]) => day <= query.rolledThrough)
    .map(([day, of]) => ({ group, day, cell: dayCell(query.aggregation, day, of, events) }));
}

function dayCell(
  aggregation: Aggregation,
  day: DayIndex,
  own: readonly MeteredEvent[],
  all: readonly MeteredEvent[],
): DayCell {
  const cell = emptyDayCell();
  for (const { hour, cell: ofHour } of hourRows(aggregation, '', own))
    addHourToDay(cell, aggregation, hour, ofHour.totals);
  if (aggregation === 'timeWeightedSum') {
    for (const event of all) if (event.time < dayStart(day)) cell.carry = add(cell.carry, event.value);
  }
  return unpackDayCell(aggregation, packDayCell(aggregation, cell));
}

function valueRows(events: readonly MeteredEvent[]): LoadedValue[] {
  const rows = Map.groupBy(events, (event) =>
    JSON.stringify([dayOf(event.time), event.group, event.distinct]),
  );
  return [...rows.values()].map((of) => {
    const { time, group, distinct } = of[0]!;
    const value = emptyDistinctValue();
    for (const event of of)
      addReferences(value, Math.floor((event.time - dayStart(dayOf(time))) / MICROS_PER_MINUTE), 1);
    return { day: dayOf(time), group: JSON.stringify(group), valueHash: distinct, value };
  });
}

/* The same answer straight from the events, by decimal.js: what every query must agree with. */

const Exact = Decimal.clone({ precision: 200, rounding: Decimal.ROUND_HALF_UP });
const decimal = (quantity: Quantity): Decimal => new Exact(toDecimalString(quantity));
const sum = (terms: readonly Decimal[]): Decimal => terms.reduce((a, b) => a.add(b), new Exact(0));
const plain = (value: Decimal): string => value.toDecimalPlaces(18).toFixed();

export function naiveRows(query: UsageQuery, events: readonly MeteredEvent[]): UsageRow[] {
  const kept = events.filter(({ group }) =>
    Object.entries(query.filter).every(([name, accepted]) =>
      accepted.includes(group[query.dimensions.indexOf(name)]!),
    ),
  );
  const byGroup = (event: MeteredEvent): string =>
    query.groupBy.length === 0
      ? ''
      : JSON.stringify(query.groupBy.map((name) => event.group[query.dimensions.indexOf(name)]));
  const series = Map.groupBy(kept, (event) =>
    JSON.stringify([query.bySubject ? event.subject : '', byGroup(event)]),
  );
  if (!isGrouped(query) && series.size === 0) series.set(JSON.stringify(['', '']), []);
  const keys = [...series.keys()]
    .map((key) => JSON.parse(key) as [string, string])
    .sort(([a, b], [c, d]) => order(a, c) || order(b, d));
  return [...windowsOf(query)].flatMap((window) =>
    keys.flatMap(([subject, group]) => {
      const value = naiveValue(query, window, series.get(JSON.stringify([subject, group]))!);
      if (value === undefined) return [];
      const names = query.groupBy;
      const values = group === '' ? [] : (JSON.parse(group) as string[]);
      const labels =
        names.length === 0 ? {} : { group: Object.fromEntries(names.map((name, i) => [name, values[i]!])) };
      const own = series.get(JSON.stringify([subject, group]))!;
      const proof = query.fingerprints ? { fingerprint: naiveFingerprint(window, own) } : {};
      return [{ ...window, ...(query.bySubject ? { subject } : {}), ...labels, value, ...proof }];
    }),
  );
}

/** An event's identity stands for its digest, as in `hourCell`. */
function naiveFingerprint({ from, to }: TimeWindow, events: readonly MeteredEvent[]): string {
  const sum = events
    .filter(({ time }) => time >= from && time < to)
    .reduce((total, { identity }) => total + BigInt(`0x${toHex(identity)}`), 0n);
  return BigInt.asUintN(128, sum).toString(16).padStart(32, '0');
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Undefined where a group has no usage and so no row. */
function naiveValue(
  query: UsageQuery,
  { from, to }: TimeWindow,
  events: readonly MeteredEvent[],
): string | null | undefined {
  const within = events
    .filter(({ time }) => time >= from && time < to)
    .sort((a, b) => a.time - b.time || order(a.identity, b.identity));
  const level = sum(events.filter(({ time }) => time < from).map(({ value }) => decimal(value)));
  const held = query.aggregation === 'timeWeightedSum' && !level.isZero();
  if (isGrouped(query) && within.length === 0 && !held) return undefined;
  const values = within.map(({ value }) => decimal(value));
  switch (query.aggregation) {
    case 'count':
      return String(within.length);
    case 'sum':
      return plain(sum(values));
    case 'unique':
      return String(new Set(within.map(({ distinct }) => distinct)).size);
    case 'min':
      return values.length === 0 ? null : plain(Exact.min(...values));
    case 'max':
      return values.length === 0 ? null : plain(Exact.max(...values));
    case 'latest':
      return values.length === 0 ? null : plain(values.at(-1)!);
    case 'average':
      return values.length === 0 ? null : plain(sum(values).div(values.length));
    case 'timeWeightedSum': {
      const held = within.map(({ time }, i) => values[i]!.mul(to - time));
      return plain(
        level
          .mul(to - from)
          .add(sum(held))
          .div(to - from),
      );
    }
  }
}
