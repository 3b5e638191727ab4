import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayStart } from '#domain/instant.ts';
import type { Backfill } from '#infra/backfill/backfill.ts';
import { BACKFILL_STATES } from '#infra/backfill/tables.ts';
import { VIEW_LACKS, type ViewLacks } from '#infra/backfill/view-completeness.ts';
import { timeOutput } from '../http/schemas.ts';

export const backfillDocument = z
  .object({
    meter: z.string(),
    version: z
      .int()
      .meta({ description: 'The version that is backfilled; it can be activated when this is complete' }),
    state: z.enum(BACKFILL_STATES).meta({
      description:
        '`waiting` until all events from before its start are in the warehouse, then `counting` them, counting hard `limits` anew, and ' +
        '`reconciling` what it wrote with the events. `different`: they differ, and the reconciliation says where',
    }),
    waitsFor: z
      .enum(VIEW_LACKS)
      .nullable()
      .meta({ description: 'What the warehouse lacks of the events from before its start' }),
    from: timeOutput.meta({ description: 'The first day' }),
    to: timeOutput.meta({ description: 'The end of the last day' }),
    parts: z.object({ done: z.int(), total: z.int().meta({ description: '0 until it is planned' }) }),
    events: z.int().meta({ description: 'Events that were looked at' }),
    unmeasured: z.int().meta({
      description:
        'Of them those that pass the filter, and whose value is missing or no number: they are not counted',
    }),
    reconciliation: z.string().nullable().meta({ description: 'What compares cells and events at its end' }),
    completedAt: timeOutput.nullable(),
  })
  .meta({ id: 'Backfill' });

export const toBackfillDocument = (backfill: Backfill) => ({
  meter: backfill.meter,
  version: backfill.version,
  state: backfill.state,
  waitsFor: backfill.waitsFor as ViewLacks | null,
  from: formatInstant(dayStart(backfill.firstDay)),
  to: formatInstant(dayStart(backfill.endDay)),
  parts: { done: backfill.partsDone, total: backfill.parts },
  events: backfill.events,
  unmeasured: backfill.unmeasured,
  reconciliation: backfill.reconciliation,
  completedAt: backfill.completedAt === null ? null : formatInstant(backfill.completedAt),
});
