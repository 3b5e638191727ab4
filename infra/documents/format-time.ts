import { civilOfDays, parseCivilDate, type CivilDate } from '#domain/calendar/civil-date.ts';
import { localTimeAt } from '#domain/calendar/local-time.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';

/** Written out, so that a document does not change with the machine's data on languages. */
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const dateText = ({ year, month, day }: CivilDate): string => `${day} ${MONTHS[month - 1] ?? ''} ${year}`;

/** A stored date as it is read. Worked: `2026-03-01` is `1 Mar 2026`. */
export function formatDate(stored: string): string {
  const date = parseCivilDate(stored);
  return date === undefined ? stored : dateText(date);
}

/**
 * A period by the clock of a zone. One of whole days is said by its first and last day, any other by its two moments. Worked:
 * `1 Feb – 28 Feb 2026`, `1 Feb 2026`, `1 Feb 13:45 – 1 Mar 2026 00:00`.
 */
export function formatPeriod({ from, to }: TimeWindow, zoneName: string): string {
  const zone = timeZone(zoneName);
  const [first, end] = [localTimeAt(zone, from), localTimeAt(zone, to)];
  if (isMidnight(first) && isMidnight(end) && end > first) return daysText(first, end - MICROS_PER_DAY);
  if (from === to) return momentText(first);
  const sameYear = dateOf(first).year === dateOf(end).year;
  return `${sameYear ? withoutYear(momentText(first)) : momentText(first)} – ${momentText(end)}`;
}

/** The day and time of day that a zone's clock shows. */
export const formatMoment = (at: Instant, zoneName: string): string =>
  momentText(localTimeAt(timeZone(zoneName), at));

const isMidnight = (local: number): boolean => local % MICROS_PER_DAY === 0;

const dateOf = (local: number): CivilDate => civilOfDays(Math.floor(local / MICROS_PER_DAY));

function daysText(firstDay: number, lastDay: number): string {
  const [first, last] = [dateOf(firstDay), dateOf(lastDay)];
  if (firstDay === lastDay) return dateText(first);
  const sameYear = first.year === last.year;
  return `${sameYear ? withoutYear(dateText(first)) : dateText(first)} – ${dateText(last)}`;
}

/** What ends with the year is said with it. */
const withoutYear = (text: string): string => text.replace(/^(\d+ [A-Za-z]+) -?\d+/, '$1');

function momentText(local: number): string {
  const inDay = local - Math.floor(local / MICROS_PER_DAY) * MICROS_PER_DAY;
  const hours = Math.floor(inDay / MICROS_PER_HOUR);
  const minutes = Math.floor((inDay % MICROS_PER_HOUR) / MICROS_PER_MINUTE);
  return `${dateText(dateOf(local))} ${twoDigits(hours)}:${twoDigits(minutes)}`;
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');
