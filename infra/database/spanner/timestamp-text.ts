import type { Instant } from '#domain/instant.ts';

const MICROS_PER_MILLI = 1_000;
const FRACTION_DIGITS = 6;
/** `2026-03-01T00:00:00`, of a text that goes on with a fraction or a `Z`. */
const SECONDS_END = 19;

/** RFC 3339 in UTC with microseconds, as Spanner takes it. */
export function timestampText(instant: Instant): string {
  const milliseconds = Math.floor(instant / MICROS_PER_MILLI);
  const micros = instant - milliseconds * MICROS_PER_MILLI;
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

/** What is finer than a microsecond is dropped: a time of a commit has nothing there, and no commit lies between the two. */
export function instantOf(text: string): Instant {
  const seconds = Date.parse(`${text.slice(0, SECONDS_END)}Z`) * MICROS_PER_MILLI;
  if (text[SECONDS_END] !== '.') return seconds;
  const fraction = text.slice(SECONDS_END + 1, SECONDS_END + 1 + FRACTION_DIGITS).replace('Z', '');
  return seconds + Number(fraction.padEnd(FRACTION_DIGITS, '0'));
}
