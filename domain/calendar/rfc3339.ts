import { MICROS_PER_SECOND, dayOf, dayStart, type Instant } from '../instant.ts';
import { civilOfDays, daysInMonth, daysOfCivil } from './civil-date.ts';

const SECONDS_PER_DAY = 86_400;
const SHORTEST = '2026-03-01T00:00:00Z'.length;
const FRACTION_START = 20;
const MICRO_DIGITS = 6;

const DASH = 45;
const PLUS = 43;
const DOT = 46;
const COLON = 58;
const UPPER_T = 84;
const UPPER_Z = 90;
/** Set in the code of every lower-case letter, clear in its upper-case one. */
const LOWER_CASE_BIT = 32;

/**
 * Reads an RFC 3339 time with its offset, by hand since every event passes through here; `undefined` when it is none. Six digits of
 * the fraction count, further ones are dropped. Second 60 and dates that do not exist are refused; `-00:00` is UTC, as `Z` is.
 * Before 1684 and after 2255 microseconds pass 2^53: `at` is then rounded and good for comparing only (`Number.isSafeInteger` tells).
 * Worked: `1970-01-01T01:00:00.5+01:00` is 500,000.
 */
export function parseRfc3339(text: string): { at: Instant } | undefined {
  if (text.length < SHORTEST || !hasSeparators(text)) return undefined;
  const days = parseDate(text);
  const seconds = parseTime(text);
  // What is no digit is NaN, which runs through every sum up to here.
  if (Number.isNaN(days) || Number.isNaN(seconds)) return undefined;
  const zoneAt =
    text.charCodeAt(FRACTION_START - 1) === DOT ? endOfDigits(text, FRACTION_START) : FRACTION_START - 1;
  if (zoneAt === FRACTION_START) return undefined;
  const offsetSeconds = parseOffset(text, zoneAt);
  if (Number.isNaN(offsetSeconds)) return undefined;
  const micros = zoneAt > FRACTION_START ? parseMicros(text, zoneAt) : 0;
  return { at: (days * SECONDS_PER_DAY + seconds - offsetSeconds) * MICROS_PER_SECOND + micros };
}

const hasSeparators = (text: string): boolean =>
  text.charCodeAt(4) === DASH &&
  text.charCodeAt(7) === DASH &&
  (text.charCodeAt(10) & ~LOWER_CASE_BIT) === UPPER_T &&
  text.charCodeAt(13) === COLON &&
  text.charCodeAt(16) === COLON;

/** Two digits at `at`, or NaN. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

/** Days since the epoch, or NaN. */
function parseDate(text: string): number {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (!(month >= 1 && month <= 12 && day >= 1)) return NaN;
  // Most events are of the day of the one before them.
  const date = (year * 16 + month) * 32 + day;
  if (date === latest.date) return latest.days;
  if (day > 28 && day > daysInMonth(year, month)) return NaN;
  latest.days = daysOfCivil(year, month, day);
  // A year that is no number has brought NaN, and equals none.
  latest.date = date;
  return latest.days;
}

/** The date that was read last, as one number, and its days since the epoch. */
const latest = { date: -1, days: 0 };

/** Seconds since midnight, or NaN. */
function parseTime(text: string): number {
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  return hour <= 23 && minute <= 59 && second <= 59 ? (hour * 60 + minute) * 60 + second : NaN;
}

/** Seconds east of UTC of the offset that fills the rest of the text, or NaN. */
function parseOffset(text: string, at: number): number {
  const sign = text.charCodeAt(at);
  if ((sign & ~LOWER_CASE_BIT) === UPPER_Z) return text.length === at + 1 ? 0 : NaN;
  if (text.length !== at + 6 || text.charCodeAt(at + 3) !== COLON || (sign !== PLUS && sign !== DASH))
    return NaN;
  const hour = twoDigits(text, at + 1);
  const minute = twoDigits(text, at + 4);
  if (!(hour <= 23 && minute <= 59)) return NaN;
  return (hour * 60 + minute) * (sign === PLUS ? 60 : -60);
}

function endOfDigits(text: string, start: number): number {
  let at = start;
  for (; ; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return at;
  }
}

function parseMicros(text: string, end: number): number {
  let micros = 0;
  for (let i = 0; i < MICRO_DIGITS; i++) {
    const at = FRACTION_START + i;
    micros = micros * 10 + (at < end ? text.charCodeAt(at) - 48 : 0);
  }
  return micros;
}

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');

/** Of two digits each, since they are most of what an instant is written with. */
const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => padded(value, 2));
const two = (value: number): string => TWO_DIGITS[value] ?? padded(value, 2);

/** The instant in UTC with `Z`, with as much of a fraction as it needs: 500,000 is `1970-01-01T00:00:00.5Z`. */
export function formatInstant(at: Instant): string {
  if (!Number.isSafeInteger(at)) throw new RangeError(`not an exact instant in microseconds: ${at}`);
  const day = dayOf(at);
  const date = civilOfDays(day);
  const sinceMidnight = at - dayStart(day);
  const seconds = Math.floor(sinceMidnight / MICROS_PER_SECOND);
  const micros = sinceMidnight % MICROS_PER_SECOND;
  const fraction = micros === 0 ? '' : `.${padded(micros, MICRO_DIGITS).replace(/0+$/, '')}`;
  const time = `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${padded(date.year, 4)}-${two(date.month)}-${two(date.day)}T${time}${fraction}Z`;
}
