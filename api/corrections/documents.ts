import { z } from 'zod';
import {
  CORRECTION_ACTIONS,
  type CorrectionChange,
  type CorrectionFilter,
} from '#domain/corrections/correction.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import {
  CORRECTION_FACTORS_MAX,
  CORRECTION_SUBJECTS_MAX,
  FILTER_BYTES_MAX,
  REASON_LENGTH_MAX,
} from '#domain/limits.ts';
import { AGGREGATIONS } from '#domain/metering/accumulator.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import type { ForeseenCorrection } from '#infra/corrections/foresee-correction.ts';
import { CORRECTION_STATES, type CorrectionRow } from '#infra/corrections/tables.ts';
import { exactJsonText } from '../http/exact-json.ts';
import { nameInput, quantityInput, quantityOutput, timeInput, timeOutput } from '../http/schemas.ts';

export const reasonInput = z
  .string()
  .min(1)
  .max(REASON_LENGTH_MAX)
  .meta({ description: 'Why: it is kept with the audit entry' });

const filterInput = z
  .strictObject({
    from: timeInput.meta({ description: 'Events that happened at or after' }),
    to: timeInput.meta({ description: 'Events that happened before' }),
    type: nameInput.exactOptional().meta({ example: 'llm.request' }),
    source: nameInput.exactOptional().meta({ example: 'urn:svc:chat' }),
    subjects: z.array(nameInput).min(1).max(CORRECTION_SUBJECTS_MAX).exactOptional(),
    customer: nameInput.exactOptional().meta({
      description:
        'Whose they are: the owner of the subject when the event happened. Not together with `subjects`',
    }),
    committedFrom: timeInput.exactOptional().meta({ description: 'Counted at or after' }),
    committedTo: timeInput.exactOptional().meta({ description: 'Counted before' }),
    where: z.string().min(1).max(FILTER_BYTES_MAX).exactOptional().meta({
      description: 'CEL over `data`, `source`, `subject` and `id`, as the filter of a meter',
      example: "data.region == 'eu'",
    }),
    import: z.uuid().exactOptional().meta({ description: 'Only what this import brought' }),
  })
  .meta({ id: 'CorrectionFilter', description: 'Events that meet every condition' });

const changeInput = z
  .strictObject({
    type: nameInput.exactOptional(),
    subject: nameInput.exactOptional(),
    data: z
      .record(z.string(), z.unknown())
      .exactOptional()
      .meta({ description: 'A merge patch of the event’s `data`: null takes a member away' }),
    multiply: z
      .array(
        z.strictObject({
          path: z.string().min(1).meta({ description: 'Dotted, as a meter’s value', example: 'tokens' }),
          by: quantityInput,
        }),
      )
      .min(1)
      .max(CORRECTION_FACTORS_MAX)
      .exactOptional()
      .meta({ description: 'Numbers that were sent in a wrong unit. Exact, or the event stays as it is' }),
  })
  .meta({ id: 'CorrectionChange', description: 'What of each event becomes different; all else stays' });

export const correctionInput = z.strictObject({
  action: z.enum(CORRECTION_ACTIONS),
  filter: filterInput,
  change: changeInput.exactOptional().meta({ description: 'With the action `amend`, and only with it' }),
  reason: reasonInput,
  asOf: timeInput.exactOptional().meta({
    description: 'Of a preview: the correction then means exactly the events that were seen',
  }),
});

/** The request as the rules take it: the patch as its text, with every digit. */
export function toRequest({ action, filter, change, asOf }: z.output<typeof correctionInput>) {
  const patch = change?.data === undefined ? {} : { data: exactJsonText(change.data) };
  return {
    action,
    filter,
    asOf,
    ...(change === undefined ? {} : { change: { ...change, ...patch } as CorrectionChange }),
  };
}

const timeOrNull = (at: Instant | null | undefined): string | null => (at == null ? null : formatInstant(at));

const filterDocument = z.object({
  from: timeOutput,
  to: timeOutput,
  type: z.string().nullable(),
  source: z.string().nullable(),
  subjects: z.array(z.string()).nullable(),
  customer: z.string().nullable(),
  committedFrom: timeOutput.nullable(),
  committedTo: timeOutput.nullable(),
  where: z.string().nullable(),
  import: z.string().nullable(),
});

const toFilter = (filter: CorrectionFilter) => ({
  from: formatInstant(filter.from),
  to: formatInstant(filter.to),
  type: filter.type ?? null,
  source: filter.source ?? null,
  subjects: filter.subjects === undefined ? null : [...filter.subjects],
  customer: filter.customer ?? null,
  committedFrom: timeOrNull(filter.committedFrom),
  committedTo: timeOrNull(filter.committedTo),
  where: filter.where ?? null,
  import: filter.import ?? null,
});

const refusedDocument = z.array(
  z.object({ source: z.string(), id: z.string(), code: z.string(), detail: z.string() }),
);

export const correctionDocument = z
  .object({
    id: z.uuid(),
    action: z.enum(CORRECTION_ACTIONS),
    state: z.enum(CORRECTION_STATES),
    filter: filterDocument,
    change: z
      .object({
        type: z.string().nullable(),
        subject: z.string().nullable(),
        data: z.string().nullable().meta({ description: 'The merge patch as JSON text' }),
        multiply: z.array(z.object({ path: z.string(), by: quantityOutput })),
      })
      .nullable(),
    reason: z.string(),
    principal: z.string(),
    asOf: timeOutput.meta({ description: 'Only events that were counted by then are meant' }),
    matched: z.int().nullable().meta({ description: 'Events that are meant; null until they are counted' }),
    counts: z.object({
      changed: z.int(),
      already: z.int().meta({ description: 'Were so before, by somebody else’s doing' }),
      unchanged: z.int().meta({ description: 'Would say what they say' }),
      refused: z.int().meta({ description: 'Cannot be changed so, and stay as they are' }),
      undone: z.int(),
      superseded: z.int().meta({ description: 'Corrected by somebody else since, and left alone' }),
    }),
    refused: refusedDocument.meta({ description: 'The first 100' }),
    fault: z.string().nullable().meta({ description: 'What keeps it from going on; it is tried again' }),
    createdAt: timeOutput,
    finishedAt: timeOutput.nullable(),
  })
  .meta({ id: 'Correction' });

export const toCorrection = (row: CorrectionRow) => ({
  id: row.id,
  action: row.action,
  state: row.state,
  filter: toFilter(row.filter),
  change:
    row.change === null
      ? null
      : {
          type: row.change.type ?? null,
          subject: row.change.subject ?? null,
          data: row.change.data ?? null,
          multiply: (row.change.multiply ?? []).map((factor) => ({ ...factor })),
        },
  reason: row.reason,
  principal: row.principal,
  asOf: formatInstant(row.asOf),
  matched: row.matched,
  counts: { ...row.counts },
  refused: row.refused.map((each) => ({ ...each })),
  fault: row.fault,
  createdAt: formatInstant(row.createdAt),
  finishedAt: timeOrNull(row.finishedAt),
});

const namesDocument = (what: string) =>
  z.object({
    count: z.int(),
    first: z
      .array(z.object({ name: z.string(), events: z.int() }))
      .meta({ description: `The first 100 ${what}, by name` }),
  });

export const foreseenDocument = z
  .object({
    asOf: timeOutput.meta({ description: 'Sent with the correction, it means exactly these events' }),
    matched: z.int(),
    changed: z.int(),
    unchanged: z.int(),
    refused: z.int(),
    refusedEvents: refusedDocument.meta({ description: 'The first 100' }),
    meters: z.array(
      z.object({
        meter: z.string(),
        generation: z.int(),
        isActive: z.boolean().meta({ description: 'Whether this generation answers questions' }),
        aggregation: z.enum(AGGREGATIONS),
        events: z.int().meta({ description: 'Events that it counts more, or less' }),
        value: quantityOutput.nullable().meta({
          description: 'By how much it measures more, or less; null where these events alone do not tell',
        }),
      }),
    ),
    subjects: namesDocument('subjects'),
    customers: namesDocument('customers'),
    cells: z.int().meta({ description: 'Hour cells that become different' }),
    closedDays: z.int().meta({ description: 'Of their days, those that are closed' }),
    limits: z
      .array(
        z.object({
          customer: z.string(),
          feature: z.string(),
          limit: z.string(),
          periodStart: timeOutput.nullable(),
          periodEnd: timeOutput.nullable(),
          used: quantityOutput.nullable().meta({ description: 'Before; null of a rolling limit' }),
          change: quantityOutput,
        }),
      )
      .meta({ description: 'Hard limits, the first 100' }),
    settledReservations: z
      .int()
      .meta({ description: 'Reservations that these events settled: they stay settled' }),
    invoices: z.object({
      first: z
        .array(
          z.object({
            id: z.uuid(),
            number: z.string().nullable(),
            customer: z.string().meta({ description: 'Who pays it' }),
            meters: z.array(z.string()),
          }),
        )
        .meta({ description: 'Issued invoices that would have late usage' }),
      more: z.boolean().meta({ description: 'There are more than were looked at' }),
    }),
  })
  .meta({ id: 'ForeseenCorrection' });

export const toForeseen = (seen: ForeseenCorrection) => ({
  asOf: formatInstant(seen.asOf),
  matched: seen.matched,
  changed: seen.changed,
  unchanged: seen.unchanged,
  refused: seen.refused,
  refusedEvents: seen.refusedEvents.map((each) => ({ ...each })),
  meters: seen.meters.map(({ value, ...meter }) => ({
    ...meter,
    value: value === null ? null : toDecimalString(value),
  })),
  subjects: { count: seen.subjects.count, first: [...seen.subjects.first] },
  customers: { count: seen.customers.count, first: [...seen.customers.first] },
  cells: seen.cells,
  closedDays: seen.closedDays,
  limits: seen.limits.map(({ periodStart, periodEnd, used, change, ...limit }) => ({
    ...limit,
    periodStart: periodEnd === null ? null : formatInstant(periodStart),
    periodEnd: timeOrNull(periodEnd),
    used: used === null ? null : toDecimalString(used),
    change: toDecimalString(change),
  })),
  settledReservations: seen.settledReservations,
  invoices: {
    first: seen.invoices.first.map((each) => ({ ...each, meters: [...each.meters] })),
    more: seen.invoices.more,
  },
});
