import { FRACTION_DECIMALS_MAX } from '../limits.ts';
import type { Violation } from '../violation.ts';
import type { AnchorChoice } from './anchor.ts';
import { parseDuration, type Duration } from './duration.ts';
import { needsAnchor } from './period.ts';
import type { PeriodsQuestion, StubProration } from './periods-question.ts';
import { isTimeZone } from './time-zone.ts';

export const violationOf = (pointer: string, code: string, message: string): Violation => ({
  pointer,
  code,
  message,
});

const SECONDS_PER_MINUTE = 60;
const DAYS_PER_WEEK = 7;
const DAY_MAX = 31;
const MONTH_MAX = 12;

/** All that is wrong with a question, at once; empty when it can be evaluated. */
export function checkPeriods(question: PeriodsQuestion): Violation[] {
  const { start, end, timezone, scale } = question;
  return [
    ...checkCadence(question.cadence, question.anchor),
    ...(isTimeZone(timezone)
      ? []
      : [violationOf('/timezone', 'unknown_time_zone', 'is an IANA time zone, such as Europe/Berlin')]),
    ...(end !== undefined && end < start
      ? [violationOf('/end', 'end_before_start', 'must not be before the start')]
      : []),
    ...checkProration(question.proration),
    ...(scale === undefined ? [] : checkWhole('/scale', scale, 0, FRACTION_DECIMALS_MAX)),
  ];
}

/** A cadence as text: an ISO 8601 duration in whole minutes. Undefined when it is none. */
export function parseCadence(text: string): Duration | undefined {
  const cadence = parseDuration(text);
  return cadence && cadence.seconds % SECONDS_PER_MINUTE === 0 ? cadence : undefined;
}

function checkCadence(text: string, anchor: AnchorChoice): Violation[] {
  const cadence = parseCadence(text);
  if (!cadence)
    return [
      violationOf(
        '/cadence',
        'invalid_duration',
        'is an ISO 8601 duration in whole minutes, such as P1M, P2W or P1Y',
      ),
    ];
  return checkAnchor(anchor, cadence);
}

/** What keeps periods of this length from being counted from an anchor. */
export function checkAnchor(anchor: AnchorChoice, cadence: Duration): Violation[] {
  const misfit = (message: string): Violation[] => [violationOf('/anchor', 'anchor_misfit', message)];
  if (anchor === 'calendar')
    return needsAnchor(cadence)
      ? [violationOf('/anchor', 'anchor_required', 'the cadence divides no calendar day or year')]
      : [];
  if (typeof anchor !== 'object') return [];
  const { months, days, seconds } = cadence;
  if ('weekday' in anchor)
    return months > 0 || seconds > 0 || days % DAYS_PER_WEEK !== 0
      ? misfit('a weekday anchors whole weeks only')
      : checkWhole('/anchor/weekday', anchor.weekday, 1, DAYS_PER_WEEK);
  if (months === 0 || days > 0 || seconds > 0) return misfit('a day of the month anchors whole months only');
  return [
    ...checkWhole('/anchor/day', anchor.day, 1, DAY_MAX),
    ...(anchor.month === undefined ? [] : checkWhole('/anchor/month', anchor.month, 1, MONTH_MAX)),
  ];
}

function checkProration({ basis, lastDay, daysPerMonth, leadingStub }: StubProration): Violation[] {
  const unused = (option: string, message: string): Violation =>
    violationOf(`/proration/${option}`, 'option_not_used', message);
  const days = 'only proration by day counts days: leave it out';
  return [
    ...(basis !== 'day' && lastDay !== undefined ? [unused('lastDay', days)] : []),
    ...(basis !== 'day' && daysPerMonth !== undefined ? [unused('daysPerMonth', days)] : []),
    ...(basis === 'none' && leadingStub !== undefined
      ? [unused('leadingStub', 'without proration a stub is no part of anything: leave it out')]
      : []),
    ...(daysPerMonth === undefined ? [] : checkWhole('/proration/daysPerMonth', daysPerMonth, 1, DAY_MAX)),
  ];
}

const checkWhole = (pointer: string, value: number, min: number, max: number): Violation[] =>
  Number.isInteger(value) && value >= min && value <= max
    ? []
    : [violationOf(pointer, 'out_of_range', `is a whole number from ${min} to ${max}`)];
