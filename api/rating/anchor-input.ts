import { z } from 'zod';
import type { AnchorChoice } from '#domain/calendar/anchor.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { timeInput, timeOutput } from '../http/schemas.ts';

const dayInput = z.strictObject({
  day: z.int().min(1).max(31).meta({ description: '31 is the last day of shorter months' }),
  month: z
    .int()
    .min(1)
    .max(12)
    .nullish()
    .meta({ description: 'Without it that of the start; with day 29, 2 is the end of February' }),
});
const weekdayInput = z.strictObject({
  weekday: z.int().min(1).max(7).meta({ description: '1 is Monday' }),
});

export const anchorInput = z.union([z.enum(['start', 'calendar']), timeInput, dayInput, weekdayInput]).meta({
  description:
    'What periods are counted from: the start (the default), the calendar of the zone, a time, ' +
    'a day of the month, or a day of the week',
});

/** The same where several subscriptions share it: they have no start in common. */
export const sharedAnchorInput = z.union([z.enum(['calendar']), timeInput, dayInput, weekdayInput]).meta({
  description:
    'What periods are counted from: the calendar of the zone, a time, a day of the month, or a day of the week',
});

export const toAnchor = (anchor: z.output<typeof anchorInput>): AnchorChoice =>
  anchor === 'start' ? anchor : toSharedAnchor(anchor);

/** In a body null says the same as leaving a field out. */
export const toSharedAnchor = (anchor: z.output<typeof sharedAnchorInput>): Exclude<AnchorChoice, 'start'> =>
  typeof anchor === 'object' && 'day' in anchor
    ? { day: anchor.day, month: anchor.month ?? undefined }
    : anchor;

export const anchorOutput = z.union([
  z.enum(['start', 'calendar']),
  timeOutput,
  z.object({ day: z.int(), month: z.int().optional() }),
  z.object({ weekday: z.int() }),
]);

/** An anchor as it is answered, and as it could be sent again. */
export function toAnchorDocument(anchor: AnchorChoice): z.output<typeof anchorOutput> {
  if (typeof anchor === 'number') return formatInstant(anchor);
  if (typeof anchor === 'string' || 'weekday' in anchor) return anchor;
  return { day: anchor.day, ...(anchor.month === undefined ? {} : { month: anchor.month }) };
}
