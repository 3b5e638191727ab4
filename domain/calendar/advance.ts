import { MICROS_PER_DAY, MICROS_PER_SECOND, type Instant } from '../instant.ts';
import { civilOfDays, daysInMonth, daysOfCivil, MONTHS_PER_YEAR, type CivilDate } from './civil-date.ts';
import type { Duration } from './duration.ts';
import { firstInstantAt, localTimeAt, type LocalTime } from './local-time.ts';
import type { TimeZone } from './time-zone.ts';

/**
 * Where a count of durations begins: at an instant, or at the first moment of a local date. The date's day may run past its month (31
 * February): it then means the last day of that month, and the day itself in months that have it.
 */
export type Origin = Instant | CivilDate;

/**
 * The instant so many durations after an origin, or before it when `times` is below 0; exact to the microsecond. Always counted from the
 * origin itself, so that day 31 comes back after February: months first, cut to the last day of a shorter month, then days, both at the
 * origin's local time of day; then elapsed time. A time of day that clocks skip is the moment of the skip, one shown twice is its first
 * showing; the origin itself stays where it is. Never decreases as `times` grows.
 * Worked: 31 January + `P1M` is 28 February, + 2 x `P1M` is 31 March.
 */
export function advance(zone: TimeZone, origin: Origin, length: Duration, times: number): Instant {
  const elapsed = length.seconds * times * MICROS_PER_SECOND;
  if (typeof origin !== 'number') return firstInstantAt(zone, lineAt(origin, length, times)) + elapsed;
  if (times === 0 || (length.months === 0 && length.days === 0)) return origin + elapsed;
  const local = localTimeAt(zone, origin);
  const days = Math.floor(local / MICROS_PER_DAY);
  const line = lineAt(civilOfDays(days), length, times) + (local - days * MICROS_PER_DAY);
  return firstInstantAt(zone, line) + elapsed;
}

/** The local midnight so many months and days after a date. */
function lineAt(date: CivilDate, { months, days }: Duration, times: number): LocalTime {
  const month = date.year * MONTHS_PER_YEAR + date.month - 1 + months * times;
  const inYear = Math.floor(month / MONTHS_PER_YEAR);
  const inMonth = month - inYear * MONTHS_PER_YEAR + 1;
  const day = Math.min(date.day, daysInMonth(inYear, inMonth));
  return (daysOfCivil(inYear, inMonth, day) + days * times) * MICROS_PER_DAY;
}
