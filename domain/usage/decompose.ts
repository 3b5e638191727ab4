import {
  HOURS_PER_DAY,
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  MINUTES_PER_HOUR,
  floorToMinute,
  hourOf,
  hourStart,
  type DayIndex,
  type HourIndex,
  type Instant,
} from '../instant.ts';

/** Whole numbers [from, to): of days or of hours. Never empty. */
export interface IndexRange {
  readonly from: number;
  readonly to: number;
}

/** The minutes [fromMinute, toMinute) of one hour, less than all sixty. */
export interface MinuteSpan {
  readonly hour: HourIndex;
  readonly fromMinute: number;
  readonly toMinute: number;
}

/**
 * A range of event time as the cells that make it up: disjoint, and together exactly the range. At most one range of days, one of
 * hours on either side of it, and the minutes of the two edge hours, however long the range is.
 */
export interface Decomposition {
  readonly days: readonly IndexRange[];
  readonly hours: readonly IndexRange[];
  readonly minutes: readonly MinuteSpan[];
}

/**
 * Takes day cells for the whole UTC days up to `rolledThrough` (the last day that has them), hour cells for other whole hours, and
 * minutes of the hours that the range only touches. Both ends are moved down to whole minutes.
 * Worked: [Monday 22:30, Wednesday 01:00) with Tuesday rolled is Tuesday's day cell, the hours 23 of Monday and 0 of Wednesday, and
 * the minutes 30 to 59 of Monday's hour 22.
 */
export function decompose(from: Instant, to: Instant, rolledThrough: DayIndex): Decomposition {
  const start = floorToMinute(from);
  const end = floorToMinute(to);
  const hours = wholeWithin(start, end, MICROS_PER_HOUR);
  const days = wholeWithin(start, end, MICROS_PER_DAY);
  const rolled = range(days.from, Math.min(days.to, rolledThrough + 1));
  return {
    days: rolled,
    hours:
      rolled.length === 0 ? range(hours.from, hours.to) : rolled.flatMap((within) => around(hours, within)),
    minutes: edgeMinutes(start, end, hours),
  };
}

/** A range as a list of none or one, so that no empty range is ever passed on. */
const range = (from: number, to: number): IndexRange[] => (from < to ? [{ from, to }] : []);

/** The whole units inside [start, end); `from` >= `to` when there is none. */
const wholeWithin = (start: Instant, end: Instant, unitMicros: number): IndexRange => ({
  from: Math.ceil(start / unitMicros),
  to: Math.floor(end / unitMicros),
});

const around = (hours: IndexRange, days: IndexRange): IndexRange[] => [
  ...range(hours.from, days.from * HOURS_PER_DAY),
  ...range(days.to * HOURS_PER_DAY, hours.to),
];

function edgeMinutes(start: Instant, end: Instant, hours: IndexRange): MinuteSpan[] {
  // Within one hour there is a single edge. Otherwise whole hours lie between the two, or they meet at a full hour.
  if (hours.from > hours.to) return minuteSpan(hours.to, start, end);
  return [
    ...minuteSpan(hours.from - 1, start, hourStart(hours.from)),
    ...minuteSpan(hours.to, hourStart(hours.to), end),
  ];
}

function minuteSpan(hour: HourIndex, start: Instant, end: Instant): MinuteSpan[] {
  if (start >= end) return [];
  const fromMinute = (start - hourStart(hour)) / MICROS_PER_MINUTE;
  const toMinute = (end - hourStart(hour)) / MICROS_PER_MINUTE;
  return [{ hour, fromMinute, toMinute }];
}

/** The hours that a range touches, whole or not. */
export const hoursTouching = (from: Instant, to: Instant): IndexRange => ({
  from: hourOf(from),
  to: Math.ceil(to / MICROS_PER_HOUR),
});

export const MINUTES_PER_DAY = HOURS_PER_DAY * MINUTES_PER_HOUR;

/** The minutes [fromMinute, toMinute) of one UTC day; all of them when the day is whole. */
export interface DaySpan {
  readonly day: DayIndex;
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** A range by UTC day, for what is kept per day with its minutes: distinct values. */
export function* decomposeByDay(from: Instant, to: Instant): Generator<DaySpan, void> {
  const start = Math.floor(from / MICROS_PER_MINUTE);
  const end = Math.floor(to / MICROS_PER_MINUTE);
  for (let minute = start; minute < end;) {
    const day = Math.floor(minute / MINUTES_PER_DAY);
    const next = Math.min((day + 1) * MINUTES_PER_DAY, end);
    yield { day, fromMinute: minute - day * MINUTES_PER_DAY, toMinute: next - day * MINUTES_PER_DAY };
    minute = next;
  }
}
