import { v7 as uuidV7 } from 'uuid';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { INVOICE_RUN_CUSTOMERS_MAX } from '#domain/limits.ts';
import type { Violation } from '#domain/violation.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { InvoicingRuleError } from './errors.ts';
import { payerOf } from './read-payers.ts';
import { addCounts, NOTHING_COUNTED } from './run-counts.ts';
import {
  invoiceRun,
  invoiceRunPart,
  openRun,
  type InvoiceRunRow,
  type PayerFailure,
  type RunCounts,
} from './tables.ts';

export interface CreateInvoiceRun {
  readonly namespace: string;
  /** What is due by then; now where nothing is said. */
  readonly asOf?: Instant | undefined;
  /** Only who pays for these. */
  readonly customers?: readonly string[] | undefined;
  readonly dryRun?: boolean | undefined;
  readonly now: Instant;
}

/**
 * Asks for a run: whoever works on runs takes it up. Throws `InvoicingRuleError` `invalid_invoice_run` with every fault: a time that is to come, and
 * customers that are not there.
 */
export async function createInvoiceRun(tx: Transaction, request: CreateInvoiceRun): Promise<InvoiceRunRow> {
  const { namespace, asOf = request.now, customers, dryRun = false, now } = request;
  const payers = customers === undefined ? null : await payersOf(tx, namespace, customers);
  const faults = [
    ...(asOf <= now
      ? []
      : [{ pointer: '/asOf', code: 'in_the_future', message: `is after ${formatInstant(now)}` }]),
    ...(payers?.faults ?? []),
  ];
  if (faults.length > 0) throw new InvoicingRuleError('invalid_invoice_run', sentenceOf(faults), faults);
  const row: InvoiceRunRow = {
    namespace,
    id: uuidV7({ msecs: Math.floor(now / MICROS_PER_MILLI) }),
    state: 'running',
    asOf,
    dryRun,
    payers: payers?.keys ?? null,
    cursor: null,
    exhausted: false,
    parts: 0,
    counts: null,
    issued: 0,
    createdAt: now,
    finishedAt: null,
  };
  tx.insert(invoiceRun, row);
  tx.insert(openRun, { namespace, run: row.id });
  return row;
}

async function payersOf(
  from: Reads,
  namespace: string,
  customers: readonly string[],
): Promise<{ keys: readonly string[]; faults: readonly Violation[] }> {
  if (customers.length === 0 || customers.length > INVOICE_RUN_CUSTOMERS_MAX) {
    const message = `must be 1 to ${INVOICE_RUN_CUSTOMERS_MAX} customers`;
    return { keys: [], faults: [{ pointer: '/customers', code: 'out_of_range', message }] };
  }
  const payers = await Promise.all(customers.map((customer) => payerOf(from, namespace, customer)));
  const faults = payers.flatMap((payer, place) =>
    payer === undefined
      ? [
          {
            pointer: `/customers/${place}`,
            code: 'customer_not_found',
            message: `there is no customer ${customers[place]}`,
          },
        ]
      : [],
  );
  return { keys: [...new Set(payers.flatMap((payer) => payer?.key ?? []))].sort(), faults };
}

/** A run with what its parts have come to so far. */
export interface InvoiceRun extends InvoiceRunRow {
  readonly soFar: RunCounts;
  /** Ids of invoices that wait for a decision, the first of them. */
  readonly parked: readonly string[];
  /** Payers who could not be billed, the first of them. */
  readonly failures: readonly PayerFailure[];
}

/** Parked invoices and failures that an answer names; lists have all of them. */
const NAMED_MAX = 200;

/** Throws `InvoicingRuleError` `invoice_run_not_found`. */
export async function readInvoiceRun(
  from: Reads,
  { namespace, id }: { readonly namespace: string; readonly id: string },
): Promise<InvoiceRun> {
  const [row] = await from.read(invoiceRun, [[namespace, id]]);
  if (row === undefined)
    throw new InvoicingRuleError('invoice_run_not_found', `there is no invoice run ${id}`);
  return withParts(from, row);
}

async function withParts(from: Reads, row: InvoiceRunRow): Promise<InvoiceRun> {
  let soFar = NOTHING_COUNTED;
  const parked: string[] = [];
  const failures: PayerFailure[] = [];
  for await (const part of from.scan(invoiceRunPart, { prefix: [row.namespace, row.id] })) {
    soFar = addCounts(soFar, part.counts);
    parked.push(...part.parked.slice(0, NAMED_MAX - parked.length));
    failures.push(...part.failures.slice(0, NAMED_MAX - failures.length));
  }
  const issued = row.state === 'done' ? row.issued : soFar.issued;
  return { ...row, issued, soFar, parked, failures };
}

/** Runs, the newest first; `before` is the id of the last one of the page before. */
export async function listInvoiceRuns(
  from: Reads,
  namespace: string,
  { before, limit }: { readonly before?: string | undefined; readonly limit: number },
): Promise<InvoiceRun[]> {
  const range = { prefix: [namespace], ...(before === undefined ? {} : { to: before }) };
  const rows = await Array.fromAsync(from.scan(invoiceRun, range, { reverse: true, limit }));
  return Promise.all(rows.map((row) => withParts(from, row)));
}

/** The newest run, without what its parts have come to; undefined while there was none. */
export async function latestInvoiceRun(from: Reads, namespace: string): Promise<InvoiceRunRow | undefined> {
  const [row] = await Array.fromAsync(
    from.scan(invoiceRun, { prefix: [namespace] }, { reverse: true, limit: 1 }),
  );
  return row;
}

/** The runs of a namespace, or of all of them, that are not done. */
export const openRuns = (
  from: Reads,
  namespace?: string,
): Promise<{ readonly namespace: string; readonly run: string }[]> =>
  Array.fromAsync(from.scan(openRun, { prefix: namespace === undefined ? [] : [namespace] }));
