import { endOfMinute, floorToMinute, MICROS_PER_DAY, MICROS_PER_SECOND, type Instant } from '../instant.ts';
import { advance, type Origin } from './advance.ts';
import { MONTHS_PER_YEAR, type CivilDate } from './civil-date.ts';
import type { Duration } from './duration.ts';
import { calendarBoundaries, localMidnight, localTimeAt } from './local-time.ts';
import type { TimeZone } from './time-zone.ts';
import type { TimeWindow } from './window.ts';

/** How time is cut into periods: counted from an anchor, or, when there is none, by the zone's calendar. */
export interface PeriodRule {
  readonly every: Duration;
  readonly anchor: Origin | null;
  readonly zone: TimeZone;
}

/** What counts from an anchor has numbered boundaries; number 0 is the anchor. */
export interface AnchoredRule extends PeriodRule {
  readonly anchor: Origin;
}

/** A calendar's months, quarters and years begin with a January; its weeks begin on Mondays, such as the first since the epoch. */
const FIRST_DAY: CivilDate = { year: 1970, month: 1, day: 1 };
const FIRST_MONDAY: CivilDate = { year: 1970, month: 1, day: 5 };
const SECONDS_PER_DAY = 86_400;
const DAYS_PER_WEEK = 7;

/** Whether periods of this length divide neither a calendar day nor a year, so that there is nothing to count them from but an anchor. */
export function needsAnchor({ months, days, seconds, weeks }: Duration): boolean {
  if (days === 0 && seconds === 0) return MONTHS_PER_YEAR % months !== 0;
  if (days === 0 && months === 0) return SECONDS_PER_DAY % seconds !== 0;
  return months > 0 || seconds > 0 || days !== (weeks ? DAYS_PER_WEEK : 1);
}

/**
 * The period that an instant lies in; periods are contiguous and boundaries whole minutes, each moved down to its minute.
 * - Minutes and hours are elapsed time: from the anchor on, or from each local midnight on, where the last one of a day is cut.
 * - Days, weeks and months are local dates at the anchor's time of day, or whole calendar days, weeks from Monday, months.
 * Each boundary is counted from the anchor itself (`advance`): an anchor on the 31st means the last day of shorter months, and the 31st
 * again afterwards.
 */
export function periodAt({ every, anchor, zone }: PeriodRule, at: Instant): TimeWindow {
  if (anchor === null && every.months === 0 && every.days === 0) return periodOfDay(zone, every, at);
  const rule = { every, zone, anchor: anchor ?? (every.weeks ? FIRST_MONDAY : FIRST_DAY) };
  const index = periodIndexAt(rule, at);
  return { from: boundaryAt(rule, index), to: boundaryAt(rule, index + 1) };
}

function periodOfDay(zone: TimeZone, { seconds }: Duration, at: Instant): TimeWindow {
  const seen = endOfMinute(at);
  const length = seconds * MICROS_PER_SECOND;
  const day = calendarBoundaries(zone, 'day', seen);
  const start = day.start + Math.floor((seen - day.start) / length) * length;
  return { from: floorToMinute(start), to: floorToMinute(Math.min(start + length, day.end)) };
}

/** A boundary of an anchored rule: so many periods after the anchor, moved down to its minute. */
export const boundaryAt = ({ every, anchor, zone }: AnchoredRule, index: number): Instant =>
  floorToMinute(advance(zone, anchor, every, index));

/**
 * The number of the period that an instant lies in: how many whole periods have passed since the anchor, below 0 before it. Where a zone
 * skipped a date, boundaries coincide and a number has no period.
 */
export function periodIndexAt(rule: AnchoredRule, at: Instant): number {
  // A boundary within the minute is moved down to the minute's start: looking from the minute's end finds it.
  const seen = endOfMinute(at);
  let index = nearIndex(rule, seen);
  while (advance(rule.zone, rule.anchor, rule.every, index) > seen) index--;
  while (advance(rule.zone, rule.anchor, rule.every, index + 1) <= seen) index++;
  return index;
}

/** 146,097 days are 400 years, or 4,800 months, of the calendar. */
const DAYS_PER_MONTH = 146_097 / 4_800;

/** An index that is at most a few periods away from the one wanted. */
function nearIndex({ every, anchor, zone }: AnchoredRule, at: Instant): number {
  const days = every.months * DAYS_PER_MONTH + every.days;
  const length = days * MICROS_PER_DAY + every.seconds * MICROS_PER_SECOND;
  if (typeof anchor === 'number') return Math.floor((at - anchor) / length);
  const local = localMidnight(anchor.year, anchor.month, anchor.day);
  return Math.floor((localTimeAt(zone, at) - local) / length);
}
