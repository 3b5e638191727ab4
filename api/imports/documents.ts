import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { AGGREGATIONS } from '#domain/metering/accumulator.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import type { ForeseenImport } from '#infra/imports/foresee-import.ts';
import type { StagedImport } from '#infra/imports/imports.ts';
import { IMPORT_STATES, type ImportPartRow, type RefusedLine } from '#infra/imports/tables.ts';
import { quantityOutput, timeOutput } from '../http/schemas.ts';

const timeOrNull = (at: Instant | null): string | null => (at === null ? null : formatInstant(at));

const refusedDocument = z
  .array(z.object({ part: z.int(), line: z.int(), code: z.string(), detail: z.string() }))
  .meta({ description: 'The first 100 lines' });
const toRefused = (lines: readonly RefusedLine[]) => lines.map((each) => ({ ...each }));

export const importDocument = z
  .object({
    id: z.uuid(),
    state: z.enum(IMPORT_STATES),
    reason: z.string(),
    principal: z.string(),
    skipRefused: z.boolean(),
    staged: z.object({
      parts: z.int(),
      events: z.int(),
      bytes: z.int(),
      refusedLines: z.int().meta({ description: 'Lines that are no events' }),
      from: timeOutput.nullable().meta({ description: 'When the first event happened' }),
      through: timeOutput.nullable().meta({ description: 'When the last one did' }),
    }),
    counts: z.object({
      accepted: z.int(),
      duplicates: z.int().meta({ description: 'Were there before' }),
      conflicts: z.int().meta({ description: 'Bear the name of an event that says something else' }),
      voided: z.int().meta({ description: 'Were voided before they came' }),
      refused: z.int().meta({ description: 'By the meters, or the schema of their type' }),
    }),
    refused: refusedDocument,
    fault: z.string().nullable().meta({ description: 'What kept it from being applied' }),
    undoneBy: z.string().nullable().meta({ description: 'The correction that takes all of it back' }),
    createdAt: timeOutput,
    finishedAt: timeOutput.nullable(),
  })
  .meta({ id: 'Import' });

export const toImport = ({ row, parts, events, bytes, refusedLines, refused, span }: StagedImport) => ({
  id: row.id,
  state: row.state,
  reason: row.reason,
  principal: row.principal,
  skipRefused: row.skipRefused,
  staged: {
    ...{ parts, events, bytes, refusedLines },
    from: timeOrNull(span?.from ?? null),
    through: timeOrNull(span?.through ?? null),
  },
  counts: { ...row.counts },
  refused: toRefused(refused),
  fault: row.fault,
  undoneBy: row.undoneBy,
  createdAt: formatInstant(row.createdAt),
  finishedAt: timeOrNull(row.finishedAt),
});

export const partDocument = z
  .object({
    part: z.int(),
    bytes: z.int(),
    hash: z.string().meta({ description: 'SHA-256 of its bytes, in hex' }),
    events: z.int(),
    refusedLines: z.int(),
    refused: refusedDocument,
  })
  .meta({ id: 'ImportPart' });

export const toPart = ({ part, bytes, hash, events, refusedLines, refused }: ImportPartRow) => ({
  ...{ part, bytes, hash, events, refusedLines },
  refused: toRefused(refused),
});

const namesDocument = z.object({
  count: z.int(),
  first: z
    .array(z.object({ name: z.string(), events: z.int() }))
    .meta({ description: 'The first 100, by name' }),
});

export const foreseenImportDocument = z
  .object({
    accepted: z.int().meta({ description: 'Events that would be counted' }),
    duplicates: z.int(),
    conflicts: z.int(),
    refusedLines: z.int(),
    refusedEvents: z.int(),
    refused: refusedDocument,
    meters: z.array(
      z.object({
        meter: z.string(),
        generation: z.int(),
        aggregation: z.enum(AGGREGATIONS),
        events: z.int(),
        value: quantityOutput.nullable(),
      }),
    ),
    subjects: namesDocument,
    customers: namesDocument,
    days: z.int(),
    daysWithoutHours: z.int().meta({ description: 'So long ago that only whole days are kept' }),
    invoices: z.object({
      first: z.array(
        z.object({
          id: z.uuid(),
          number: z.string().nullable(),
          customer: z.string(),
          meters: z.array(z.string()),
        }),
      ),
      more: z.boolean(),
    }),
  })
  .meta({ id: 'ForeseenImport' });

export const toForeseenImport = ({ limits: _, ...seen }: ForeseenImport) => ({
  ...seen,
  refused: toRefused(seen.refused),
  meters: seen.meters.map(({ value, ...meter }) => ({
    ...meter,
    value: value === null ? null : toDecimalString(value),
  })),
  subjects: { count: seen.subjects.count, first: [...seen.subjects.first] },
  customers: { count: seen.customers.count, first: [...seen.customers.first] },
  invoices: {
    first: seen.invoices.first.map((each) => ({ ...each, meters: [...each.meters] })),
    more: seen.invoices.more,
  },
});
