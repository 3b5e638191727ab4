import type { Instant } from '#domain/instant.ts';
import type { Transaction } from '#infra/database/database.ts';
import type { Key } from '#infra/database/table.ts';
import type { CollectedInvoice } from './collected-invoice.ts';
import { insertParts } from './document-parts.ts';
import { invoice, invoiceContent, invoiceInput, invoiceSlot, type InvoiceRow } from './tables.ts';

export interface InvoicePlace {
  readonly namespace: string;
  readonly now: Instant;
  readonly run?: string | undefined;
}

export type NewInvoice = Pick<CollectedInvoice, 'id' | 'inputs' | 'content' | 'parkedFor' | 'stored'>;

/**
 * The number of each invoice among those of its slot, in their order. One that is void keeps its own, so the first one free is the next. Nearly
 * all slots are free, which one read of all tells.
 */
export async function nextSequences(
  tx: Transaction,
  namespace: string,
  invoices: readonly Pick<NewInvoice, 'inputs'>[],
): Promise<number[]> {
  if (invoices.length === 0) return [];
  const slots = invoices.map(({ inputs }) => slotOf(namespace, inputs));
  const firsts = await tx.read(
    invoiceSlot,
    slots.map((slot) => [...slot, FIRST]),
  );
  const taken = new Map<string, number>();
  for (const [place, slot] of slots.entries()) {
    const name = JSON.stringify(slot);
    const known = taken.get(name) ?? (firsts[place] === undefined ? 0 : await lastSequence(tx, slot));
    taken.set(name, known + 1);
    slots[place] = [...slot, known + 1];
  }
  return slots.map((slot) => Number(slot.at(-1)));
}

const FIRST = 1;

const slotOf = (namespace: string, { customer, currency, seller, date, kind }: NewInvoice['inputs']): Key => [
  namespace,
  customer.key,
  currency,
  seller.key,
  date,
  kind,
];

async function lastSequence(tx: Transaction, slot: Key): Promise<number> {
  for await (const { sequence } of tx.scan(invoiceSlot, { prefix: slot }, { reverse: true, limit: 1 }))
    return sequence;
  return 0;
}

/** Writes a new invoice: a draft if something holds it, or if it was written by hand; final otherwise. */
export function insertInvoice(
  tx: Transaction,
  { namespace, now, run }: InvoicePlace,
  { id, inputs, content, parkedFor, stored }: NewInvoice,
  sequence: number,
): InvoiceRow {
  const { customer, currency, seller, date, kind } = inputs;
  const row: InvoiceRow = {
    namespace,
    id,
    customer: customer.key,
    currency,
    seller: seller.key,
    kind,
    date,
    sequence,
    state: parkedFor.length > 0 || kind === 'oneOff' ? 'draft' : 'finalised',
    parkedFor,
    releasedFrom: [],
    totals: content.totals,
    lineCount: content.lines.length,
    contentHash: stored.contentHash,
    inputsHash: stored.inputsHash,
    subscriptions: inputs.subscriptions.map((each) => each.id),
    ...NOTHING_YET,
    run: run ?? null,
    createdAt: now,
    updatedAt: now,
  };
  tx.insert(invoice, row);
  tx.insert(invoiceSlot, {
    namespace,
    customer: row.customer,
    currency,
    seller: row.seller,
    date,
    kind,
    sequence,
    invoice: id,
  });
  insertParts(tx, invoiceContent, { namespace, invoice: id }, stored.content);
  insertParts(tx, invoiceInput, { namespace, invoice: id }, stored.inputs);
  return row;
}

const NOTHING_YET = {
  number: null,
  issuedAt: null,
  issueDate: null,
  dueDate: null,
  merkleRoots: {},
  paidAt: null,
  voidedAt: null,
  uncollectibleAt: null,
} as const;
