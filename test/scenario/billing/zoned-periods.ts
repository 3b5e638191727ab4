import { Temporal } from 'temporal-polyfill';
import type { AnchorChoice } from '#domain/calendar/anchor.ts';
import { MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';

/** Minutes since the epoch: every boundary is one. */
export type Minute = number;

export interface Minutes {
  readonly from: Minute;
  readonly to: Minute;
}

export const minuteOf = (at: Instant): Minute => Math.floor(at / MICROS_PER_MINUTE);

const NANOS_PER_MICRO = 1_000n;
const MILLIS_PER_MINUTE = 60_000;

export const localOf = (at: Instant, zone: string): Temporal.PlainDateTime =>
  Temporal.Instant.fromEpochNanoseconds(BigInt(at) * NANOS_PER_MICRO)
    .toZonedDateTimeISO(zone)
    .toPlainDateTime();

/** The minute that a clock first shows a time in; of a time that it skips the minute of the skip. */
export function firstMinuteAt(local: Temporal.PlainDateTime, zone: string): Minute {
  const earlier = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(local))
    return Math.floor(earlier.epochMilliseconds / MILLIS_PER_MINUTE);
  const skip = earlier.getTimeZoneTransition('next');
  if (skip === null) throw new Error(`${local.toString()} is skipped in ${zone}, and nothing skips it`);
  return Math.floor(skip.epochMilliseconds / MILLIS_PER_MINUTE);
}

/** What periods are counted from. Of a day of the month the day may run past the month. */
interface Origin {
  readonly month: Temporal.PlainYearMonth;
  readonly day: number;
  readonly time: Temporal.PlainTime;
  /** Where the count begins when that is a moment, not a local time. */
  readonly itself: Minute | null;
}

const CALENDAR: Origin = {
  month: Temporal.PlainYearMonth.from('1970-01'),
  day: 1,
  time: Temporal.PlainTime.from('00:00'),
  itself: null,
};

function originOf(choice: AnchorChoice, zone: string, start: Instant): Origin {
  if (choice === 'calendar') return CALENDAR;
  if (typeof choice === 'object') {
    if ('weekday' in choice) throw new Error('no scenario has weeks');
    const started = localOf(start, zone);
    const month = Temporal.PlainYearMonth.from({ year: started.year, month: choice.month ?? started.month });
    return { ...CALENDAR, month, day: choice.day };
  }
  const anchor = choice === 'start' ? start : choice;
  const local = localOf(anchor, zone);
  return {
    month: local.toPlainDate().toPlainYearMonth(),
    day: local.day,
    time: local.toPlainTime(),
    itself: minuteOf(anchor),
  };
}

/** Periods of so many months in a zone. */
export interface Periods {
  /** Two rules of one name cut time alike. */
  readonly name: string;
  /** The period that a minute lies in. */
  at(minute: Minute): Minutes;
}

const known = new Map<string, Periods>();

export function periodsOf(
  months: number,
  zone: string,
  { anchor, start }: { readonly anchor: AnchorChoice; readonly start: Instant },
): Periods {
  const origin = originOf(anchor, zone, start);
  const counted = anchor === 'calendar' ? 'calendar' : JSON.stringify(origin);
  const name = `${months} ${zone} ${counted}`;
  const periods = known.get(name) ?? countedFrom(name, months, zone, origin);
  known.set(name, periods);
  return periods;
}

function countedFrom(name: string, months: number, zone: string, origin: Origin): Periods {
  const boundaries = new Map<number, Minute>();
  const boundary = (count: number): Minute => {
    const found = boundaries.get(count) ?? boundaryAt(origin, count * months, zone);
    boundaries.set(count, found);
    return found;
  };
  return {
    name,
    at: (minute) => {
      const local = localOf(minute * MICROS_PER_MINUTE, zone);
      const since = origin.month.until(local.toPlainDate().toPlainYearMonth(), { largestUnit: 'months' });
      let count = Math.floor(since.months / months) + 1;
      while (boundary(count) > minute) count--;
      return { from: boundary(count), to: boundary(count + 1) };
    },
  };
}

function boundaryAt({ month, day, time, itself }: Origin, months: number, zone: string): Minute {
  if (months === 0 && itself !== null) return itself;
  const then = month.add({ months });
  const date = then.toPlainDate({ day: Math.min(day, then.daysInMonth) });
  return firstMinuteAt(date.toPlainDateTime(time), zone);
}

/** A moment so many months, or days, after another by the clocks of a zone. */
export function minuteAfter(
  at: Instant,
  length: { readonly months?: number; readonly days?: number },
  zone: string,
): Minute {
  return firstMinuteAt(localOf(at, zone).add(length), zone);
}

/** From the first local day to the last, which does not count. */
export const localDaysIn = ({ from, to }: Minutes, zone: string): number =>
  localOf(from * MICROS_PER_MINUTE, zone)
    .toPlainDate()
    .until(localOf(to * MICROS_PER_MINUTE, zone).toPlainDate(), { largestUnit: 'days' }).days;
