import { z } from 'zod';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { AnchorChoice } from '#domain/calendar/anchor.ts';
import type { Instant } from '#domain/instant.ts';

/** What lines of several kinds have. */

export const time = z.string().transform((text, context): Instant => {
  const parsed = parseRfc3339(text);
  if (parsed !== undefined) return parsed.at;
  context.addIssue('is no RFC 3339 time');
  return z.NEVER;
});

export const wholeNumber = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** What may be left out, or said to be nothing. */
export const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().exactOptional();

export const taxRates = z.array(
  z.strictObject({
    code: z.string(),
    jurisdiction: z.string(),
    rate: z.string(),
    exemption: optional(z.string()),
  }),
);

const day = z.strictObject({ day: wholeNumber, month: wholeNumber.exactOptional() });
const weekday = z.strictObject({ weekday: wholeNumber });

/** One that several subscriptions share: they have no start in common. */
export const sharedAnchor = z.union([z.literal('calendar'), time, day, weekday]);
export const anchor = z.union([z.literal('start'), sharedAnchor]);

/** An anchor as it is written: a time as one that people read. */
export function writtenAnchor(choice: AnchorChoice) {
  if (typeof choice === 'number') return formatInstant(choice);
  if (typeof choice === 'string' || 'weekday' in choice) return choice;
  return { day: choice.day, ...(choice.month === undefined ? {} : { month: choice.month }) };
}

export const timeOrNull = (at: Instant | null): string | null => (at === null ? null : formatInstant(at));
