import {
  emptyAccumulator,
  isLater,
  merge,
  offsetInHour,
  type Accumulator,
  type Aggregation,
  type Contribution,
} from './accumulator.ts';
import type { DayCell } from './day-cell.ts';
import { addFingerprint, isZeroFingerprint, negateFingerprint } from './fingerprint.ts';
import { minuteOf, type HourCell } from './hour-cell.ts';
import { compare, negate, subtract, times } from './quantity.ts';

/**
 * Takes one event back out of what it was accumulated into. False where no inverse exists: the event held the extreme of a min or max,
 * or was the latest, and what comes next is not known here.
 */
function takeBack(from: Accumulator, aggregation: Aggregation, event: Contribution): boolean {
  addFingerprint(from, negateFingerprint(event.digest));
  from.count--;
  switch (aggregation) {
    case 'count':
    case 'unique':
      return true;
    case 'timeWeightedSum':
      from.moment = subtract(from.moment, times(event.value, offsetInHour(event.time)));
      from.value = subtract(from.value, event.value);
      return true;
    case 'sum':
    case 'average':
      from.value = subtract(from.value, event.value);
      return true;
    case 'min':
    case 'max':
      return compare(event.value, from.value) !== 0;
    case 'latest':
      return event.identity !== from.identity;
  }
}

/**
 * Whether an event can be among those of an accumulator: a minute has a cell in every slot, and only one of them holds the event. An only
 * event is told by its digest; of several, none is beyond the extreme or later than the latest.
 */
function mayHold(accumulator: Accumulator, aggregation: Aggregation, event: Contribution): boolean {
  if (accumulator.count === 1) {
    const rest = { ...accumulator };
    addFingerprint(rest, negateFingerprint(event.digest));
    return isZeroFingerprint(rest);
  }
  if (aggregation === 'min') return compare(event.value, accumulator.value) >= 0;
  if (aggregation === 'max') return compare(event.value, accumulator.value) <= 0;
  return aggregation !== 'latest' || !isLater(event.time, event.identity, accumulator);
}

/**
 * Takes an event back out of a cell that may hold it. Undefined when it is not among the events of its minute here, as far as can be told;
 * the cell is dirty afterwards where the exact state is not known. A minute that is empty again disappears, and since totals are the
 * merge of the minutes, an extreme that stood alone in its minute is taken back exactly.
 */
export const takeBackFromHour = (
  cell: HourCell,
  aggregation: Aggregation,
  minute: number,
  event: Contribution,
): HourCell | undefined => takeManyBackFromHour(cell, aggregation, minute, [event]);

/** The same for several events of one minute: where they are all there was in it, the cell is exact whatever their order. */
export function takeManyBackFromHour(
  cell: HourCell,
  aggregation: Aggregation,
  minute: number,
  events: readonly Contribution[],
): HourCell | undefined {
  const accumulator = cell.minutes.get(minute);
  if (accumulator === undefined) return undefined;
  const left = takeManyBack(accumulator, aggregation, events);
  if (left === 'none held') return undefined;
  if (accumulator.count === 0) cell.minutes.delete(minute);
  else if (left === 'inexact') cell.dirty = true;
  return withTotals(cell, aggregation);
}

/**
 * Takes events back out of a day that has no hours any more. False when it held none of them. Where an extreme, or the latest, goes and
 * others stay, the day is dirty, as an hour would be.
 */
export function takeManyBackFromDay(
  day: DayCell,
  aggregation: Aggregation,
  events: readonly Contribution[],
): boolean {
  const left = takeManyBack(day.totals, aggregation, events);
  if (left === 'inexact' && day.totals.count !== 0) day.dirty = true;
  if (day.totals.count === 0) Object.assign(day.totals, emptyAccumulator());
  return left !== 'none held';
}

/** Takes back those events that the accumulator may hold. */
function takeManyBack(
  from: Accumulator,
  aggregation: Aggregation,
  events: readonly Contribution[],
): 'exact' | 'inexact' | 'none held' {
  let [held, exact] = [0, true];
  for (const event of events) {
    if (from.count === 0 || !mayHold(from, aggregation, event)) continue;
    held++;
    exact = takeBack(from, aggregation, event) && exact;
  }
  if (held === 0) return 'none held';
  return exact ? 'exact' : 'inexact';
}

/**
 * Moves what `from` has in a minute into another slot's cell of the same hour, and returns what is left of `from`. What waits to be
 * recomputed may be this very minute, so it waits in both from then on.
 */
export function moveMinute(
  from: HourCell,
  into: HourCell,
  aggregation: Aggregation,
  minute: number,
): HourCell {
  const accumulator = from.minutes.get(minute);
  if (accumulator === undefined) return from;
  from.minutes.delete(minute);
  merge(minuteOf(into, minute), aggregation, accumulator);
  into.dirty ||= from.dirty;
  return withTotals(from, aggregation);
}

function withTotals(cell: HourCell, aggregation: Aggregation): HourCell {
  const totals = emptyAccumulator();
  for (const each of cell.minutes.values()) merge(totals, aggregation, each);
  return { ...cell, totals };
}

/** An event as its own opposite, for the aggregations that add: what a void adds to a day. */
export function opposite(aggregation: Aggregation, event: Contribution): Accumulator {
  const accumulator = emptyAccumulator();
  addFingerprint(accumulator, negateFingerprint(event.digest));
  accumulator.count = -1;
  if (aggregation !== 'count' && aggregation !== 'unique') accumulator.value = negate(event.value);
  if (aggregation === 'timeWeightedSum')
    accumulator.moment = negate(times(event.value, offsetInHour(event.time)));
  return accumulator;
}
