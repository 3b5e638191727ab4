import { civilOfDays, daysInMonth, MONTHS_PER_YEAR } from '../calendar/civil-date.ts';
import {
  calendarBoundaries,
  firstInstantAt,
  localMidnight,
  localTimeAt,
  type LocalTime,
} from '../calendar/local-time.ts';
import type { TimeZone } from '../calendar/time-zone.ts';
import type { TimeWindow } from '../calendar/window.ts';
import { floorToMinute, MICROS_PER_DAY, MICROS_PER_MINUTE, type Instant } from '../instant.ts';
import type { Duration } from './duration.ts';

/** How time is cut into periods: by a zone's calendar when there is no anchor, else counted from the anchor. */
export interface PeriodRule {
  readonly every: Duration;
  readonly anchor: Instant | null;
  readonly zone: TimeZone;
}

export const MINUTES_PER_DAY = 1_440;
/** 1970-01-05, the first Monday since the epoch: calendar weeks begin on Mondays. */
const FIRST_MONDAY: LocalTime = 4 * MICROS_PER_DAY;

/** Why periods of this length cannot be counted without an anchor, or undefined when they can. */
export function needsAnchor({ unit, count, weeks }: Duration): boolean {
  if (unit === 'minute') return count > MINUTES_PER_DAY || MINUTES_PER_DAY % count !== 0;
  if (unit === 'month') return count > MONTHS_PER_YEAR || MONTHS_PER_YEAR % count !== 0;
  return count !== 1 && !(weeks && count === 7);
}

/**
 * The period that an instant lies in; periods are contiguous and boundaries whole minutes, each moved down to its minute.
 * - Minutes and hours are elapsed time: from the anchor on, or from each local midnight on, where the last one of a day is cut.
 * - Days, weeks and months are local dates at the anchor's time of day, or whole calendar days, weeks from Monday, months.
 * A time of day that clocks skip is the moment of the skip, one shown twice its first showing. Of months each boundary is counted from
 * the anchor itself: an anchor on the 31st means the last day of shorter months, and the 31st again afterwards.
 */
export function periodAt(rule: PeriodRule, at: Instant): TimeWindow {
  // A boundary within the minute is moved down to the minute's start: looking from the minute's end finds it.
  const seen = floorToMinute(at) + MICROS_PER_MINUTE - 1;
  const { start, end } = rule.every.unit === 'minute' ? elapsedPeriod(rule, seen) : localPeriod(rule, seen);
  return { from: floorToMinute(start), to: floorToMinute(end) };
}

interface Span {
  readonly start: Instant;
  readonly end: Instant;
}

function elapsedPeriod({ every, anchor, zone }: PeriodRule, at: Instant): Span {
  const length = every.count * MICROS_PER_MINUTE;
  if (anchor !== null) {
    const from = floorToMinute(anchor);
    const start = from + Math.floor((at - from) / length) * length;
    return { start, end: start + length };
  }
  const day = calendarBoundaries(zone, 'day', at);
  const start = day.start + Math.floor((at - day.start) / length) * length;
  return { start, end: Math.min(start + length, day.end) };
}

function localPeriod({ every, anchor, zone }: PeriodRule, at: Instant): Span {
  const natural = every.weeks ? FIRST_MONDAY : 0;
  const origin = anchor === null ? natural : localTimeAt(zone, floorToMinute(anchor));
  const boundary = (index: number): Instant => firstInstantAt(zone, lineAt(origin, every, index));
  let index = nearIndex(origin, every, localTimeAt(zone, at));
  while (boundary(index) > at) index--;
  // A skipped local date has boundaries that coincide: the period is between the last at or before the instant and the next later one.
  while (boundary(index + 1) <= at) index++;
  return { start: boundary(index), end: boundary(index + 1) };
}

/** The local time of the boundary so many periods after the origin. */
function lineAt(origin: LocalTime, { unit, count }: Duration, index: number): LocalTime {
  if (unit === 'day') return origin + index * count * MICROS_PER_DAY;
  const days = Math.floor(origin / MICROS_PER_DAY);
  const { year, month, day } = civilOfDays(days);
  const months = year * MONTHS_PER_YEAR + month - 1 + index * count;
  const inYear = Math.floor(months / MONTHS_PER_YEAR);
  const inMonth = months - inYear * MONTHS_PER_YEAR + 1;
  return (
    localMidnight(inYear, inMonth, Math.min(day, daysInMonth(inYear, inMonth))) +
    (origin - days * MICROS_PER_DAY)
  );
}

/** An index at most one or two periods away from the one wanted. */
function nearIndex(origin: LocalTime, { unit, count }: Duration, local: LocalTime): number {
  if (unit === 'day') return Math.floor((local - origin) / (count * MICROS_PER_DAY));
  const [from, to] = [origin, local].map((time) => civilOfDays(Math.floor(time / MICROS_PER_DAY)));
  if (from === undefined || to === undefined) return 0;
  return Math.floor(((to.year - from.year) * MONTHS_PER_YEAR + to.month - from.month) / count);
}
