import { parseDuration, type Duration } from '#domain/calendar/duration.ts';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';

/** Times and lengths of tests, from texts that are known to be such. */

export function instant(text: string): Instant {
  const parsed = parseRfc3339(text);
  if (!parsed) throw new RangeError(text);
  return parsed.at;
}

export function duration(text: string): Duration {
  const parsed = parseDuration(text);
  if (!parsed) throw new RangeError(text);
  return parsed;
}
