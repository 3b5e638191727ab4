import { Temporal } from 'temporal-polyfill';
import { MICROS_PER_MILLI, type Instant } from '../instant.ts';

/** A stretch of time [from, to) over which a zone's clocks keep one distance to UTC. Its ends may be infinite. */
export interface OffsetSpan {
  readonly from: Instant;
  readonly to: Instant;
  /** What is added to UTC to read the local clock: positive east of it. */
  readonly offsetMicros: number;
}

/** An IANA time zone, as the rules of the process's ICU data have it. */
export interface TimeZone {
  /** In the data's own spelling: `Europe/Berlin` when `europe/berlin` was asked for. */
  readonly name: string;
  /** The span that an instant lies in. */
  spanAt(at: Instant): OffsetSpan;
}

export class UnknownTimeZoneError extends Error {
  readonly code = 'unknown_time_zone';
  override readonly name = 'UnknownTimeZoneError';
}

const LONGEST_NAME = 64;
/** Only names: an offset such as `+01:00` has no daylight saving and no midnight of its own, and is refused. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/;
/** Two spans a year for every year that an exact instant can name (1684 to 2255), and room. */
const MAX_CACHED_SPANS = 2_048;
const NANOS_PER_MICRO = 1_000;

/** By the name in the data's spelling, of which there are some 600, so that the cache is bounded by the data. */
const known = new Map<string, TimeZone>();

/** The zone of an IANA name in any case; throws `UnknownTimeZoneError`. Calls after the first are cheap. */
export function timeZone(name: string): TimeZone {
  const cached = known.get(name);
  if (cached) return cached;
  const spelling = spellingOf(name);
  let zone = known.get(spelling);
  if (!zone) {
    zone = createTimeZone(spelling);
    known.set(spelling, zone);
  }
  return zone;
}

export function isTimeZone(name: string): boolean {
  try {
    timeZone(name);
    return true;
  } catch (error) {
    if (error instanceof UnknownTimeZoneError) return false;
    throw error;
  }
}

const unknown = (name: string, cause?: unknown): UnknownTimeZoneError =>
  new UnknownTimeZoneError(`not an IANA time zone: ${JSON.stringify(name.slice(0, LONGEST_NAME))}`, {
    cause,
  });

function spellingOf(name: string): string {
  if (name.length > LONGEST_NAME || !ZONE_NAME.test(name)) throw unknown(name);
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch (cause) {
    throw unknown(name, cause);
  }
}

/**
 * Spans are found once and kept, since asking the zone data costs tens of microseconds and a query asks for every window. The cache
 * only saves time: what it answers is a fixed function of the zone and the instant.
 */
function createTimeZone(name: string): TimeZone {
  const spans: OffsetSpan[] = [];
  let latest: OffsetSpan | undefined;
  return {
    name,
    spanAt(at) {
      if (latest && at >= latest.from && at < latest.to) return latest;
      const place = spans.findLastIndex((span) => span.from <= at);
      latest = spans[place];
      if (latest && at < latest.to) return latest;
      if (spans.length >= MAX_CACHED_SPANS) spans.length = 0;
      latest = findSpan(name, at);
      spans.splice(place + 1, 0, latest);
      return latest;
    },
  };
}

/** Clocks change on whole seconds, so that a millisecond is fine enough to stand between two spans. */
function findSpan(name: string, at: Instant): OffsetSpan {
  const millis = Math.floor(at / MICROS_PER_MILLI);
  const here = zonedAt(name, millis);
  // `previous` looks strictly before: from the next millisecond it also finds a change at this very one.
  const from = zonedAt(name, millis + 1).getTimeZoneTransition('previous');
  const to = here.getTimeZoneTransition('next');
  return {
    from: from ? from.epochMilliseconds * MICROS_PER_MILLI : -Infinity,
    to: to ? to.epochMilliseconds * MICROS_PER_MILLI : Infinity,
    offsetMicros: here.offsetNanoseconds / NANOS_PER_MICRO,
  };
}

const zonedAt = (name: string, millis: number): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(millis).toZonedDateTimeISO(name);
