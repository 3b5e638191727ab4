import { MICROS_PER_DAY, MICROS_PER_HOUR, type Instant } from '../instant.ts';
import { MONTHS_PER_YEAR, civilOfDays, daysOfCivil } from './civil-date.ts';
import type { TimeZone } from './time-zone.ts';

/**
 * What a local clock shows, as microseconds since it showed 1970-01-01 00:00. It is not an instant: it is repeated when clocks go
 * back and skipped when they go forward.
 */
export type LocalTime = number;

export const localTimeAt = (zone: TimeZone, at: Instant): LocalTime => at + zone.spanAt(at).offsetMicros;

/** Local midnight of a date. `day` may run past the month, as `daysOfCivil` allows. */
export const localMidnight = (year: number, month: number, day: number): LocalTime =>
  daysOfCivil(year, month, day) * MICROS_PER_DAY;

/**
 * The first instant at which the zone's clock shows `local` or later. A time that clocks skip is the moment of the skip (the day
 * begins at 01:00 where midnight does not exist); of a time shown twice it is the first showing. It never decreases as `local` grows.
 */
export function firstInstantAt(zone: TimeZone, local: LocalTime): Instant {
  // No zone is a day away from UTC, so the clock has not shown `local` yet where the search begins.
  let span = zone.spanAt(local - MICROS_PER_DAY);
  while (local - span.offsetMicros >= span.to) span = zone.spanAt(span.to);
  return Math.max(span.from, local - span.offsetMicros);
}

/** Where the local calendar draws its lines: the line at or before a local time, and the line after a line. */
interface LocalGrid {
  floor(local: LocalTime): LocalTime;
  next(line: LocalTime): LocalTime;
}

const dayGrid: LocalGrid = {
  floor: (local) => Math.floor(local / MICROS_PER_DAY) * MICROS_PER_DAY,
  next: (line) => line + MICROS_PER_DAY,
};

const monthGrid: LocalGrid = {
  floor: (local) => {
    const { year, month } = civilOfDays(Math.floor(local / MICROS_PER_DAY));
    return localMidnight(year, month, 1);
  },
  next: (line) => {
    const { year, month } = civilOfDays(line / MICROS_PER_DAY);
    return month === MONTHS_PER_YEAR ? localMidnight(year + 1, 1, 1) : localMidnight(year, month + 1, 1);
  },
};

export type CalendarUnit = 'day' | 'month';
const grids: Readonly<Record<CalendarUnit, LocalGrid>> = { day: dayGrid, month: monthGrid };

/** The boundaries around an instant: the last at or before it, and the first after it. */
export interface Boundaries {
  readonly start: Instant;
  readonly end: Instant;
}

/**
 * The local day or month that an instant lies in. A day begins when its midnight is first reached and ends when the next one is:
 * where clocks fall back over midnight, the hour that is shown again still belongs to the new day. A skipped date has no day.
 */
export function calendarBoundaries(zone: TimeZone, unit: CalendarUnit, at: Instant): Boundaries {
  const grid = grids[unit];
  let line = grid.floor(localTimeAt(zone, at));
  let start = firstInstantAt(zone, line);
  for (;;) {
    line = grid.next(line);
    const end = firstInstantAt(zone, line);
    if (end > at) return { start, end };
    start = end;
  }
}

/**
 * The local date that an instant lies in, as days since the epoch: days as `calendarBoundaries` cuts them, so that it never decreases in
 * time. A skipped date has no instants.
 */
export function localDayAt(zone: TimeZone, at: Instant): number {
  let day = Math.floor(localTimeAt(zone, at) / MICROS_PER_DAY);
  while (firstInstantAt(zone, (day + 1) * MICROS_PER_DAY) <= at) day++;
  return day;
}

const modulo = (value: number, divisor: number): number => value - Math.floor(value / divisor) * divisor;

/** Whether two offsets put the full hours at the same instants. */
const sameHours = (a: number, b: number): boolean => modulo(a - b, MICROS_PER_HOUR) === 0;

/**
 * The hour that an instant lies in: an elapsed hour that begins when the local clock shows a full one. An hour shown twice is two
 * windows and a skipped one is none, so that every window is a real hour. Only where a change moves the minutes too (Lord Howe goes
 * by half an hour) is the hour cut at the change, since no hour could be full on both sides: one window is then shorter.
 */
export function hourBoundaries(zone: TimeZone, at: Instant): Boundaries {
  const start = at - modulo(localTimeAt(zone, at), MICROS_PER_HOUR);
  return { start: cutBefore(zone, at, start), end: cutAfter(zone, at, start + MICROS_PER_HOUR) };
}

/** The latest change of the minutes in (start, at], or `start`. */
function cutBefore(zone: TimeZone, at: Instant, start: Instant): Instant {
  let span = zone.spanAt(at);
  while (span.from > start) {
    const earlier = zone.spanAt(span.from - 1);
    if (!sameHours(earlier.offsetMicros, span.offsetMicros)) return span.from;
    span = earlier;
  }
  return start;
}

/** The first change of the minutes in (at, end), or `end`. */
function cutAfter(zone: TimeZone, at: Instant, end: Instant): Instant {
  let span = zone.spanAt(at);
  while (span.to < end) {
    const later = zone.spanAt(span.to);
    if (!sameHours(later.offsetMicros, span.offsetMicros)) return span.to;
    span = later;
  }
  return end;
}
