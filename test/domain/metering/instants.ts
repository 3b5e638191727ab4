import type { Instant } from '#domain/instant.ts';

/** An instant named by a text without a fraction of a second. Worked: `1970-01-01T00:00:01Z` is 1,000,000. */
export const instantOf = (text: string): Instant => Date.parse(text) * 1_000;
