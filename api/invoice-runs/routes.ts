import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { INVOICE_RUN_CUSTOMERS_MAX } from '#domain/limits.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import {
  createInvoiceRun,
  listInvoiceRuns,
  readInvoiceRun,
  type InvoiceRun,
} from '#infra/invoicing/invoice-runs.ts';
import { NOTHING_COUNTED } from '#infra/invoicing/run-counts.ts';
import { RUN_STATES } from '#infra/invoicing/tables.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { listQuery, nameInput, pageOf, quantityOutput, timeInput, timeOutput } from '../http/schemas.ts';
import { tag } from '../invoices/tag.ts';

const runDocument = z
  .object({
    id: z.uuid(),
    state: z.enum(RUN_STATES),
    asOf: timeOutput.meta({ description: 'What was due by then is billed' }),
    dryRun: z.boolean(),
    customers: z
      .array(z.string())
      .nullable()
      .meta({ description: 'Who pays for those that were named; null: everybody' }),
    cursor: z.string().nullable().meta({ description: 'How far it has come, by the keys of customers' }),
    counts: z.object({
      customers: z.int().meta({ description: 'Customers without a parent that were looked at' }),
      invoices: z.int(),
      parked: z.int().meta({ description: 'Of the invoices those that wait for a decision' }),
      failed: z.int().meta({ description: 'Customers who could not be billed' }),
      lines: z.int(),
      issued: z.int().meta({
        description: 'Of the invoices those that are numbered; at its end also others that waited for it',
      }),
    }),
    amounts: z
      .record(z.string(), quantityOutput)
      .meta({ description: 'What the invoices come to, by currency' }),
    parked: z.array(z.string()).meta({ description: 'Invoices that wait for a decision, the first 200' }),
    failures: z
      .array(z.object({ customer: z.string(), code: z.string(), message: z.string() }))
      .meta({ description: 'Customers who could not be billed, the first 200' }),
    createdAt: timeOutput,
    finishedAt: timeOutput.nullable(),
  })
  .meta({ id: 'InvoiceRun' });

export const toRun = (run: InvoiceRun) => {
  const { amounts, ...counts } = run.soFar;
  return {
    id: run.id,
    state: run.state,
    asOf: formatInstant(run.asOf),
    dryRun: run.dryRun,
    customers: run.payers === null ? null : [...run.payers],
    cursor: run.cursor,
    counts: { ...counts, issued: run.issued },
    amounts,
    parked: run.parked,
    failures: run.failures,
    createdAt: formatInstant(run.createdAt),
    finishedAt: run.finishedAt === null ? null : formatInstant(run.finishedAt),
  };
};

const create = changeRoute({
  method: 'post',
  path: '/v1/invoice-runs',
  name: 'createInvoiceRun',
  tag,
  scope: 'billing:write',
  ofMoney: true,
  summary: 'Bills all customers of whom something is due; what a scheduler calls',
  description:
    'The run goes on after the answer. Several at once bill nothing twice, and one that was cut off goes on when a server starts.',
  body: jsonBody(
    z.strictObject({
      asOf: timeInput.exactOptional().meta({ description: 'Now where nothing is said' }),
      customers: z
        .array(nameInput)
        .min(1)
        .max(INVOICE_RUN_CUSTOMERS_MAX)
        .exactOptional()
        .meta({ description: 'Only who pays for these' }),
      dryRun: z.boolean().exactOptional().meta({ description: 'Counts what would be, and writes nothing' }),
    }),
  ),
  answers: { 201: { description: 'The run', json: runDocument, headers: { Location: 'The run' } } },
  problems: ['invalid_invoice_run'],
  change: async (tx, { namespace, body, now }) => {
    const row = await createInvoiceRun(tx, { namespace, now, ...body });
    const run = { ...row, soFar: NOTHING_COUNTED, parked: [], failures: [] };
    return json(201, toRun(run), { Location: `/v1/invoice-runs/${row.id}` });
  },
  committed: ({ invoiceRuns }, { namespace }) => invoiceRuns.start(namespace),
});

const list = route({
  method: 'get',
  path: '/v1/invoice-runs',
  name: 'listInvoiceRuns',
  tag,
  scope: 'billing:read',
  summary: 'Runs, the newest first',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(runDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const before = positionOf(query.cursor, z.string());
    const runs = await inSnapshot(database, (snapshot) =>
      listInvoiceRuns(snapshot, namespace, { before, limit: query.limit + 1 }),
    );
    return json(200, pageAfter(runs, query.limit, { item: toRun, position: ({ id }) => id }));
  },
});

const getOne = route({
  method: 'get',
  path: '/v1/invoice-runs/{id}',
  name: 'getInvoiceRun',
  tag,
  scope: 'billing:read',
  summary: 'One run: how far it is, what it came to, and what waits for a decision',
  parameters: { path: z.object({ id: z.string().max(64) }) },
  answers: { 200: { description: 'The run', json: runDocument } },
  problems: ['invoice_run_not_found'],
  handle: async ({ database }, { namespace, path }) =>
    json(
      200,
      toRun(await inSnapshot(database, (snapshot) => readInvoiceRun(snapshot, { namespace, id: path.id }))),
    ),
});

export const INVOICE_RUN_ROUTES: readonly Route[] = [create, list, getOne];
