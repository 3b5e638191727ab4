import type { Instant } from '#domain/instant.ts';
import type { InvoiceContent, InvoiceState } from '#domain/invoicing/invoice.ts';
import type { InvoiceInputs } from '#domain/invoicing/invoice-inputs.ts';
import type { Reads } from '#infra/database/database.ts';
import { COUNTED_MAX, type BoundedCount } from '#infra/usage/read-status.ts';
import { requireInvoice } from './change-invoice.ts';
import { readParts } from './document-parts.ts';
import { invoice, invoiceContent, invoiceInput, type InvoiceRow } from './tables.ts';

/** An invoice with what it says. */
export interface StoredInvoice {
  readonly row: InvoiceRow;
  readonly content: InvoiceContent;
}

interface Place {
  readonly namespace: string;
  readonly id: string;
}

/** Throws `InvoicingRuleError` `invoice_not_found`. */
export async function readInvoice(from: Reads, place: Place): Promise<StoredInvoice> {
  const row = await requireInvoice(from, place);
  return { row, content: await readContent(from, row) };
}

export async function readContent(from: Reads, { namespace, id }: Place): Promise<InvoiceContent> {
  const text = await readParts(from, invoiceContent, { namespace, invoice: id });
  if (text === undefined) throw new Error(`the invoice ${id} has no content`);
  return JSON.parse(text) as InvoiceContent;
}

/** The text is what `inputsHash` of the invoice was made of. */
export async function readInputs(
  from: Reads,
  { namespace, id }: Place,
): Promise<{ inputs: InvoiceInputs; text: string }> {
  const text = await readParts(from, invoiceInput, { namespace, invoice: id });
  if (text === undefined) throw new Error(`the invoice ${id} has no inputs`);
  return { inputs: JSON.parse(text) as InvoiceInputs, text };
}

export interface ListInvoices {
  readonly customer?: string | undefined;
  readonly state?: InvoiceState | undefined;
  readonly seller?: string | undefined;
  /** Dates in [from, to). */
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
  /** The id of the last one of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Invoices, the newest first, through the index that leaves the fewest to look at. */
export async function listInvoices(
  from: Reads,
  namespace: string,
  filter: ListInvoices,
): Promise<InvoiceRow[]> {
  const { customer, state, before, limit } = filter;
  const place =
    customer !== undefined
      ? { prefix: [namespace, customer], index: 'byCustomer' }
      : state !== undefined
        ? { prefix: [namespace, state], index: 'byState' }
        : { prefix: [namespace] };
  const { prefix, ...options } = place;
  const range = { prefix, ...(before === undefined ? {} : { to: before }) };
  const rows: InvoiceRow[] = [];
  for await (const row of from.scan(invoice, range, { ...options, reverse: true })) {
    if (rows.length >= limit) break;
    if (isAskedFor(row, filter)) rows.push(row);
  }
  return rows;
}

/** How many invoices wait for a decision, cheaply enough to be asked often: among the first drafts only. Those written by hand are not among them. */
export async function countParked(from: Reads, namespace: string): Promise<BoundedCount> {
  const range = { prefix: [namespace, 'draft' satisfies InvoiceState] };
  let [drafts, count] = [0, 0];
  for await (const { parkedFor } of from.scan(invoice, range, { index: 'byState', limit: COUNTED_MAX + 1 })) {
    if (++drafts > COUNTED_MAX) break;
    if (parkedFor.length > 0) count++;
  }
  return { count, more: drafts > COUNTED_MAX };
}

const isAskedFor = (row: InvoiceRow, { state, seller, from, to }: ListInvoices): boolean =>
  (state === undefined || row.state === state) &&
  (seller === undefined || row.seller === seller) &&
  (from === undefined || row.date >= from) &&
  (to === undefined || row.date < to);
