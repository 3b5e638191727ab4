import type { Instant } from '#domain/instant.ts';
import type { InvoiceState } from '#domain/invoicing/invoice.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { takeOff } from './billed-items.ts';
import { deleteParts } from './document-parts.ts';
import { InvoicingRuleError } from './errors.ts';
import { invoice, invoiceContent, invoiceInput, invoiceSlot, type InvoiceRow } from './tables.ts';

export interface ChangeInvoice {
  readonly namespace: string;
  readonly id: string;
  readonly now: Instant;
}

/** The head of an invoice. Throws `InvoicingRuleError` `invoice_not_found`. */
export async function requireInvoice(
  from: Reads,
  { namespace, id }: Pick<ChangeInvoice, 'namespace' | 'id'>,
): Promise<InvoiceRow> {
  const [row] = await from.read(invoice, [[namespace, id]]);
  if (row === undefined) throw new InvoicingRuleError('invoice_not_found', `there is no invoice ${id}`);
  return row;
}

/** Lets a parked invoice pass: its content is final from now on, and its reasons stay on record. Also throws `invoice_not_parked`. */
export async function releaseInvoice(tx: Transaction, change: ChangeInvoice): Promise<InvoiceRow> {
  const row = await requireInvoice(tx, change);
  if (row.state === 'finalised' && row.releasedFrom.length > 0) return row;
  if (!isParked(row))
    throw new InvoicingRuleError('invoice_not_parked', `invoice ${row.id} is ${row.state}: nothing holds it`);
  return write(tx, change, { ...row, state: 'finalised', parkedFor: [], releasedFrom: row.parkedFor });
}

export const isParked = ({ state, parkedFor }: Pick<InvoiceRow, 'state' | 'parkedFor'>): boolean =>
  state === 'draft' && parkedFor.length > 0;

/**
 * Makes an invoice count for nothing. Its lines are taken off what is billed in the same transaction, so its items are due again. An issued one
 * keeps its number. Throws `invoice_state` for one that is paid.
 */
export async function voidInvoice(tx: Transaction, change: ChangeInvoice): Promise<InvoiceRow> {
  const row = await requireInvoice(tx, change);
  if (row.state === 'void') return row;
  checkState(row, ['draft', 'finalised', 'issued', 'uncollectible'], 'voided');
  await takeOff(tx, row);
  return write(tx, change, { ...row, state: 'void', voidedAt: change.now });
}

/** Says that an invoice was paid, however it was. */
export async function payInvoice(tx: Transaction, change: ChangeInvoice): Promise<InvoiceRow> {
  const row = await requireInvoice(tx, change);
  if (row.state === 'paid') return row;
  checkState(row, ['issued', 'uncollectible'], 'paid');
  return write(tx, change, { ...row, state: 'paid', paidAt: change.now });
}

/** Gives up on the payment of an issued invoice; it may still come. */
export async function writeOffInvoice(tx: Transaction, change: ChangeInvoice): Promise<InvoiceRow> {
  const row = await requireInvoice(tx, change);
  if (row.state === 'uncollectible') return row;
  checkState(row, ['issued'], 'given up');
  return write(tx, change, { ...row, state: 'uncollectible', uncollectibleAt: change.now });
}

/** Throws a draft away that was collected, with all that was written of it: what it billed is due again. */
export async function discardDraft(tx: Transaction, change: ChangeInvoice): Promise<InvoiceRow> {
  const row = await requireInvoice(tx, change);
  checkState(row, ['draft'], 'computed again');
  if (row.kind === 'oneOff')
    throw new InvoicingRuleError('invoice_state', `invoice ${row.id} was written by hand: void it instead`);
  await takeOff(tx, row);
  const { namespace, id, customer, currency, seller, date, kind, sequence } = row;
  await deleteParts(tx, invoiceContent, { namespace, invoice: id });
  await deleteParts(tx, invoiceInput, { namespace, invoice: id });
  tx.delete(invoiceSlot, [namespace, customer, currency, seller, date, kind, sequence]);
  tx.delete(invoice, [namespace, id]);
  return row;
}

export function checkState(row: InvoiceRow, states: readonly InvoiceState[], done: string): void {
  if (states.some((state) => state === row.state)) return;
  throw new InvoicingRuleError(
    'invoice_state',
    `invoice ${row.id} is ${row.state}, and cannot be ${done}: only one that is ${states.join(' or ')} can`,
  );
}

function write(tx: Transaction, { now }: ChangeInvoice, row: InvoiceRow): InvoiceRow {
  const changed = { ...row, updatedAt: now };
  tx.upsert(invoice, changed);
  return changed;
}
