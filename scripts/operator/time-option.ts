import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { UsageError } from './terminal.ts';

/** A time that an option gives; undefined where it is not given. Throws `UsageError`. */
export function readTimeOption(name: string, text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const at = parseRfc3339(text)?.at;
  if (at === undefined)
    throw new UsageError(
      `--${name} ${text} is no RFC 3339 time with an offset, such as 2026-03-01T00:00:00Z`,
    );
  return at;
}
