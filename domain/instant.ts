/**
 * A point in time as whole microseconds since 1970-01-01T00:00:00Z.
 * A number is exact here: microseconds stay below 2^53 until the year 2255, and what lies further away is refused at the edge.
 */
export type Instant = number;

export const MICROS_PER_MILLI = 1_000;
export const MICROS_PER_SECOND = 1_000_000;
export const MICROS_PER_MINUTE = 60 * MICROS_PER_SECOND;
export const MICROS_PER_HOUR = 60 * MICROS_PER_MINUTE;
export const MICROS_PER_DAY = 24 * MICROS_PER_HOUR;
export const MINUTES_PER_HOUR = 60;
export const HOURS_PER_DAY = 24;

/** Whole hours since the epoch; the hour an instant lies in. */
export type HourIndex = number;
/** Whole UTC days since the epoch; the day an instant lies in. */
export type DayIndex = number;

export const hourOf = (at: Instant): HourIndex => Math.floor(at / MICROS_PER_HOUR);
export const dayOf = (at: Instant): DayIndex => Math.floor(at / MICROS_PER_DAY);
export const hourStart = (hour: HourIndex): Instant => hour * MICROS_PER_HOUR;
export const dayStart = (day: DayIndex): Instant => day * MICROS_PER_DAY;
/** The minute of its hour, 0 to 59. */
export const minuteOfHour = (at: Instant): number =>
  Math.floor((at - hourStart(hourOf(at))) / MICROS_PER_MINUTE);
/** Boundaries are whole minutes: each is moved down to its minute, so that neighbours share it. */
export const floorToMinute = (at: Instant): Instant => Math.floor(at / MICROS_PER_MINUTE) * MICROS_PER_MINUTE;
/** The last microsecond of an instant's minute: what is at or before it is, moved down to its minute, at or before the instant. */
export const endOfMinute = (at: Instant): Instant => floorToMinute(at) + MICROS_PER_MINUTE - 1;
