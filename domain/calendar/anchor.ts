import { type Instant } from '../instant.ts';
import type { Origin } from './advance.ts';
import { civilOfDays, type CivilDate } from './civil-date.ts';
import { localDayAt } from './local-time.ts';
import type { TimeZone } from './time-zone.ts';

/**
 * Where a subscription's periods are counted from.
 * - `start`: its own start (anniversary).
 * - `calendar`: days, months, quarters and years of the zone's calendar, weeks from Monday.
 * - a time: its local date and time of day.
 * - a day of the month, of a given month or of the one in which the subscription starts; a weekday, 1 being Monday. Both at local midnight.
 */
export type AnchorChoice = 'start' | 'calendar' | Instant | DayOfMonth | Weekday;

/** Day 31 is the last day of shorter months; 29 February is the 28th of common years. */
export interface DayOfMonth {
  readonly day: number;
  readonly month?: number | undefined;
}
export interface Weekday {
  readonly weekday: number;
}

const DAYS_PER_WEEK = 7;
/** The epoch was a Thursday, the fourth day of its week. */
const EPOCH_WEEKDAY = 4;

/** The anchor of a rule (`PeriodRule`) for a subscription that starts at `start`; null is the calendar. */
export function anchorOf(choice: AnchorChoice, zone: TimeZone, start: Instant): Origin | null {
  if (choice === 'calendar') return null;
  if (choice === 'start') return start;
  if (typeof choice === 'number') return choice;
  const startDay = localDayAt(zone, start);
  if ('weekday' in choice) return dateInWeek(startDay, choice.weekday);
  const { year, month } = civilOfDays(startDay);
  return { year, month: choice.month ?? month, day: choice.day };
}

/** The date of a weekday in the week, from Monday to Sunday, that a day lies in. */
function dateInWeek(day: number, weekday: number): CivilDate {
  const sinceMonday = (((day + EPOCH_WEEKDAY - 1) % DAYS_PER_WEEK) + DAYS_PER_WEEK) % DAYS_PER_WEEK;
  return civilOfDays(day - sinceMonday + weekday - 1);
}
