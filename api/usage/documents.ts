import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { WINDOW_UNITS } from '#domain/calendar/window.ts';
import type { UsageRow } from '#domain/usage/usage-rows.ts';
import { quantityOutput, timeOutput } from '../http/schemas.ts';

export const windowInput = z
  .enum(WINDOW_UNITS)
  .meta({ description: 'The span of time that a row is about; `none` is the whole range' });

/** A zone is judged where windows are made; here only its length is. */
export const timezoneInput = z
  .string()
  .max(64)
  .meta({ description: 'An IANA name: where days and months begin', example: 'Europe/Berlin' });

export const rowDocument = z
  .object({
    from: timeOutput,
    to: timeOutput,
    subject: z.string().exactOptional().meta({ description: 'Only when grouped by subject' }),
    group: z.record(z.string(), z.string()).exactOptional().meta({
      description: 'Only when grouped by dimensions: each with its value, "" where an event had none',
    }),
    value: quantityOutput
      .nullable()
      .meta({ description: 'null: min, max, average and latest of a window without events' }),
  })
  .meta({ id: 'UsageRow' });

export const toRowDocument = ({ from, to, ...row }: UsageRow) => ({
  from: formatInstant(from),
  to: formatInstant(to),
  ...row,
});

export const tag = 'Usage';
