import { endOfMinute, floorToMinute, MICROS_PER_MINUTE } from '../instant.ts';
import { fraction, WHOLE, type Fraction } from '../money/fraction.ts';
import { civilOfDays, MONTHS_PER_YEAR } from './civil-date.ts';
import { localDayAt } from './local-time.ts';
import type { TimeZone } from './time-zone.ts';
import type { TimeWindow } from './window.ts';

/** `exact` counts minutes, `day` local calendar days; of `none` any part is as good as the whole. */
export const PRORATION_BASES = ['exact', 'day', 'none'] as const;
export type ProrationBasis = (typeof PRORATION_BASES)[number];

export const LAST_DAYS = ['excluded', 'included'] as const;
/** Whether the day on which a part ends counts, unless it ends with that day's first moment. */
export type LastDay = (typeof LAST_DAYS)[number];

/** How a part of a period is measured. Everything but the basis is another system's convention. */
export interface Proration {
  readonly basis: ProrationBasis;
  /** `day`: `excluded`, the default, so that the parts of a period sum to it; `included` charges the day of a termination. */
  readonly lastDay?: LastDay | undefined;
  /** `day`: every month has so many days, 30 for instance: between dates lie their months times so many, and the difference of their days. */
  readonly daysPerMonth?: number | undefined;
  /** A part without any length is the whole period, not nothing. */
  readonly emptyIsFull?: boolean | undefined;
}

/** A measured part: so many of so many minutes, days, or, without proration, periods. Both are whole numbers, `whole` above 0. */
export interface Share {
  readonly part: number;
  readonly whole: number;
  readonly unit: 'minute' | 'day' | 'period';
}

/**
 * What part of a whole a stretch of time is, from nothing to all of it. Ends are moved down to their minutes. Days are those of the zone's
 * calendar, whatever their hours; a whole that begins and ends on one day is measured in minutes.
 * Worked: from the 1st to the 10th at noon of a February is 9 of 28 days, and 10 with `lastDay: "included"`.
 */
export function shareOf(part: TimeWindow, whole: TimeWindow, zone: TimeZone, proration: Proration): Share {
  if (proration.basis === 'none') return { part: 1, whole: 1, unit: 'period' };
  const days = proration.basis === 'day' ? daysOf(whole, zone, { ...proration, lastDay: 'excluded' }) : 0;
  const unit = days > 0 ? 'day' : 'minute';
  const all = days > 0 ? days : minutesOf(whole);
  const isAll =
    part.to <= part.from ? (proration.emptyIsFull ?? false) : part.from <= whole.from && part.to >= whole.to;
  if (isAll) return { part: all, whole: all, unit };
  const counted = days > 0 ? daysOf(part, zone, proration) : minutesOf(part);
  return { part: Math.max(0, Math.min(counted, all)), whole: all, unit };
}

const minutesOf = ({ from, to }: TimeWindow): number =>
  (floorToMinute(to) - floorToMinute(from)) / MICROS_PER_MINUTE;

/** The days of a stretch of time as `day` counts them. */
export function daysOf(
  { from, to }: TimeWindow,
  zone: TimeZone,
  { lastDay, daysPerMonth }: Proration,
): number {
  const first = localDayAt(zone, endOfMinute(from));
  const next =
    lastDay === 'included' ? localDayAt(zone, floorToMinute(to) - 1) + 1 : localDayAt(zone, endOfMinute(to));
  return daysPerMonth === undefined ? next - first : fixedMonthDays(first, next, daysPerMonth);
}

/** Days since the epoch in, days of months of one fixed length out. Worked with 30: 23 May to 15 June are 22, 15 to 23 February 8. */
function fixedMonthDays(from: number, to: number, daysPerMonth: number): number {
  const [start, end] = [civilOfDays(from), civilOfDays(to)];
  const months = (end.year - start.year) * MONTHS_PER_YEAR + end.month - start.month;
  return months * daysPerMonth + end.day - start.day;
}

/** A share as an exact quotient, for multiplying amounts and quantities. */
export const fractionOf = ({ part, whole }: Share): Fraction =>
  part === whole ? WHOLE : fraction(BigInt(part), BigInt(whole));
