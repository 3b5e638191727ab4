import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayStart, hourStart } from '#domain/instant.ts';
import { RECONCILED_SUBJECTS_MAX } from '#domain/limits.ts';
import { VIEW_LACKS, type ViewLacks } from '#infra/backfill/view-completeness.ts';
import {
  createReconciliation,
  listDifferences,
  listReconciliations,
  placeOf,
  readReconciliation,
} from '#infra/reconcile/reconciliations.ts';
import {
  DIFFERENCE_KINDS,
  DIFFERENCE_OUTCOMES,
  RECONCILIATION_STATES,
  type DifferenceRow,
  type ReconciliationRow,
} from '#infra/reconcile/tables.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { keyInput, listQuery, nameInput, pageOf, timeInput, timeOutput } from '../http/schemas.ts';

const tag = 'Reconciliations';
const REASON_LENGTH_MAX = 500;
const METERS_MAX = 200;

const reconciliationDocument = z
  .object({
    id: z.uuid(),
    state: z.enum(RECONCILIATION_STATES),
    waitsFor: z
      .enum(VIEW_LACKS)
      .nullable()
      .meta({ description: 'What the warehouse lacks of what the cells have' }),
    from: timeOutput,
    to: timeOutput,
    versions: z
      .array(z.string())
      .meta({ description: 'The versions of meters that are compared, as `key@version`' }),
    subjects: z.array(z.string()).nullable().meta({ description: 'null: all' }),
    repair: z.boolean(),
    trustView: z.boolean(),
    counts: z.object({
      compared: z.int().meta({ description: "Subjects' days of one version each" }),
      differing: z.int().meta({ description: 'Of them those with any difference' }),
      differences: z.int().meta({ description: 'Cells that are not what their events make them' }),
      repaired: z.int(),
      reported: z.int().meta({ description: 'Differences that the report names; at most 10,000' }),
    }),
    reason: z.string(),
    createdAt: timeOutput,
    finishedAt: timeOutput.nullable(),
  })
  .meta({ id: 'Reconciliation' });

const contentDocument = z
  .object({
    events: z.int(),
    value: z.string().nullable().meta({ description: 'A decimal; of a distinct value its hash' }),
    fingerprint: z.string().meta({ description: 'The sum of the digests of the events, modulo 2^128' }),
    level: z.string().exactOptional().meta({ description: 'Time-weighted: what the day begins with' }),
  })
  .meta({ id: 'CellContent' });

const differenceDocument = z
  .object({
    meter: z.string(),
    version: z.int(),
    subject: z.string(),
    day: timeOutput,
    hour: timeOutput
      .nullable()
      .meta({ description: 'null where a whole day, or one of its distinct values, differs' }),
    view: z.enum(['total', 'group']),
    group: z
      .string()
      .meta({ description: 'The values of the dimensions, a JSON array; empty for the total' }),
    cell: z.string().meta({ description: 'Which cell of the day, exactly' }),
    kind: z.enum(DIFFERENCE_KINDS).meta({
      description:
        '`missing` or `surplus`: there is no cell, or no events. `events`: other events. `value`: the same events, another value. `dirty`: ' +
        'waits to be computed again after a void',
    }),
    outcome: z.enum(DIFFERENCE_OUTCOMES).meta({
      description:
        '`moved`: the cells changed before the repair; reconcile again. `view_incomplete`: the cells have more events than the warehouse, and ' +
        '`trustView` was not said',
    }),
    stored: contentDocument.nullable(),
    expected: contentDocument.nullable(),
  })
  .meta({ id: 'ReconciliationDifference' });

const toDocument = (row: ReconciliationRow) => ({
  id: row.id,
  state: row.state as (typeof RECONCILIATION_STATES)[number],
  waitsFor: row.waitsFor as ViewLacks | null,
  from: formatInstant(dayStart(row.firstDay)),
  to: formatInstant(dayStart(row.endDay)),
  versions: [...row.versions],
  subjects: row.subjects === null ? null : [...row.subjects],
  repair: row.repair,
  trustView: row.trustsView,
  counts: {
    compared: row.compared,
    differing: row.differing,
    differences: row.differences,
    repaired: row.repaired,
    reported: row.reported,
  },
  reason: row.reason,
  createdAt: formatInstant(row.createdAt),
  finishedAt: row.finishedAt === null ? null : formatInstant(row.finishedAt),
});

const toDifference = (row: DifferenceRow) => ({
  meter: row.meter,
  version: row.version,
  subject: row.subject,
  day: formatInstant(dayStart(row.day)),
  hour: row.hour === null ? null : formatInstant(hourStart(row.hour)),
  view: row.view === 0 ? ('total' as const) : ('group' as const),
  group: row.group,
  cell: row.cell,
  kind: row.kind as (typeof DIFFERENCE_KINDS)[number],
  outcome: row.outcome as (typeof DIFFERENCE_OUTCOMES)[number],
  stored: row.stored,
  expected: row.expected,
});

const create = changeRoute({
  method: 'post',
  path: '/v1/reconciliations',
  name: 'createReconciliation',
  tag,
  scope: 'admin',
  summary: 'Compares usage with the raw events, and writes it anew where it differs if that is asked for',
  description:
    'It goes on after the answer, beside everything else: exact also for days that still change. Every repair is recorded with what was before and after.',
  body: jsonBody(
    z.strictObject({
      from: timeInput.meta({ description: 'Moved down to the start of its UTC day' }),
      to: timeInput.meta({ description: 'Moved up to the end of its UTC day' }),
      meters: z.array(keyInput).min(1).max(METERS_MAX).exactOptional().meta({ description: 'Only these' }),
      subjects: z
        .array(nameInput)
        .min(1)
        .max(RECONCILED_SUBJECTS_MAX)
        .exactOptional()
        .meta({ description: 'Only these' }),
      repair: z.boolean().default(false),
      trustView: z.boolean().default(false).meta({
        description:
          'Repairs also cells that have more events than the warehouse: say it when the warehouse is known to have lost none',
      }),
      reason: z
        .string()
        .max(REASON_LENGTH_MAX)
        .default('')
        .meta({ description: 'Why, for the audit entries' }),
    }),
  ),
  answers: {
    201: {
      description: 'The reconciliation',
      json: reconciliationDocument,
      headers: { Location: 'The reconciliation' },
    },
  },
  problems: ['invalid_reconciliation'],
  change: async (tx, { namespace, body, principal, requestId, now }) => {
    const row = await createReconciliation(tx, {
      ...body,
      namespace,
      principal: principal.keyId,
      requestId,
      now,
    });
    // When it was committed is known only afterwards.
    return json(201, toDocument({ ...row, createdAt: now }), { Location: `/v1/reconciliations/${row.id}` });
  },
});

const list = route({
  method: 'get',
  path: '/v1/reconciliations',
  name: 'listReconciliations',
  tag,
  scope: 'usage:read',
  summary: 'Reconciliations, the newest first',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(reconciliationDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const before = positionOf(query.cursor, z.string());
    const rows = await listReconciliations(database, namespace, { before, limit: query.limit + 1 });
    return json(200, pageAfter(rows, query.limit, { item: toDocument, position: ({ id }) => id }));
  },
});

const idPath = z.object({ id: z.string().max(64) });

const getOne = route({
  method: 'get',
  path: '/v1/reconciliations/{id}',
  name: 'getReconciliation',
  tag,
  scope: 'usage:read',
  summary: 'One reconciliation: how far it is and what it found',
  parameters: { path: idPath },
  answers: { 200: { description: 'The reconciliation', json: reconciliationDocument } },
  problems: ['reconciliation_not_found'],
  handle: async ({ database }, { namespace, path: { id } }) =>
    json(200, toDocument(await readReconciliation(database, { namespace, id }))),
});

const placeSchema = z.tuple([z.string(), z.int(), z.int(), z.string(), z.string()]);

const differences = route({
  method: 'get',
  path: '/v1/reconciliations/{id}/differences',
  name: 'listReconciliationDifferences',
  tag,
  scope: 'usage:read',
  summary: 'Every cell that differed, with what it held and should hold, by meter, version, day and subject',
  parameters: { path: idPath, query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(differenceDocument) } },
  problems: ['reconciliation_not_found', 'invalid_cursor'],
  handle: async ({ database }, { namespace, path: { id }, query }) => {
    await readReconciliation(database, { namespace, id });
    const after = positionOf(query.cursor, placeSchema);
    const rows = await listDifferences(database, { namespace, id }, { after, limit: query.limit + 1 });
    return json(200, pageAfter(rows, query.limit, { item: toDifference, position: placeOf }));
  },
});

export const RECONCILIATION_ROUTES: readonly Route[] = [create, list, getOne, differences];
