import { MICROS_PER_MINUTE, endOfMinute, floorToMinute, type Instant } from '../instant.ts';
import { calendarBoundaries, hourBoundaries, type Boundaries } from './local-time.ts';
import type { TimeZone } from './time-zone.ts';

export const WINDOW_UNITS = ['minute', 'hour', 'day', 'month', 'none'] as const;
/** `none` is one window over the whole range. */
export type WindowUnit = (typeof WINDOW_UNITS)[number];
export type RepeatingUnit = Exclude<WindowUnit, 'none'>;

/** Event time [from, to), both whole minutes. */
export interface TimeWindow {
  readonly from: Instant;
  readonly to: Instant;
}

/**
 * The whole window of a zone that an instant lies in. Boundaries are moved down to whole minutes: that only moves those of local mean
 * time, of before about 1972. Looking from the last microsecond of the minute finds the boundary that was moved down to it.
 */
export function windowAt(zone: TimeZone, unit: RepeatingUnit, at: Instant): TimeWindow {
  const minute = floorToMinute(at);
  if (unit === 'minute') return { from: minute, to: minute + MICROS_PER_MINUTE };
  const { start, end } = boundariesAt(zone, unit, endOfMinute(at));
  return { from: floorToMinute(start), to: floorToMinute(end) };
}

function boundariesAt(zone: TimeZone, unit: Exclude<RepeatingUnit, 'minute'>, at: Instant): Boundaries {
  return unit === 'hour' ? hourBoundaries(zone, at) : calendarBoundaries(zone, unit, at);
}

/**
 * The windows of [from, to), in order: contiguous, covering it exactly, the first and the last cut to it. Lazy, so that a page of a
 * long range costs a page. Both ends are moved down to whole minutes; a range within one minute has no windows.
 */
export function* windowsBetween(
  zone: TimeZone,
  unit: WindowUnit,
  from: Instant,
  to: Instant,
): Generator<TimeWindow, void> {
  const end = floorToMinute(to);
  let start = floorToMinute(from);
  while (start < end) {
    const windowEnd = unit === 'none' ? end : Math.min(windowAt(zone, unit, start).to, end);
    yield { from: start, to: windowEnd };
    start = windowEnd;
  }
}
