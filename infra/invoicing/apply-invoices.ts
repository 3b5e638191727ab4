import type { Instant } from '#domain/instant.ts';
import type { Transaction } from '#infra/database/database.ts';
import { readBilling, toBilledItemRow } from './billed-items.ts';
import type { CollectedInvoice, SubscriptionEffect } from './collected-invoice.ts';
import { insertInvoice, nextSequences } from './insert-invoice.ts';
import {
  billedItem,
  subscriptionBilling,
  type BilledItemRow,
  type InvoiceRow,
  type SubscriptionBillingRow,
} from './tables.ts';

export interface ApplyInvoices {
  readonly namespace: string;
  /** Those of one payer in the order they were collected in. */
  readonly invoices: readonly CollectedInvoice[];
  readonly now: Instant;
  /** The run that they are made by. */
  readonly run?: string | undefined;
}

export interface AppliedInvoices {
  readonly written: readonly InvoiceRow[];
  /** Payers of whose subscriptions something was billed since they were read: they have to be collected again. */
  readonly stale: readonly string[];
}

/**
 * Writes collected invoices, with their inputs and with what is billed of each item, in the caller's transaction. An invoice whose
 * subscriptions are not as they were read is left out, and those of the same payer after it too: whoever billed first has billed it, and nobody
 * bills it again. Applied twice, the second time finds the first, and writes nothing.
 */
export async function applyInvoices(tx: Transaction, request: ApplyInvoices): Promise<AppliedInvoices> {
  const { namespace, invoices } = request;
  const billing = await readTogether(tx, namespace, invoices);
  const { fresh, stale } = inTheirTurn(namespace, invoices, billing);
  for (const row of changedItems(namespace, fresh)) tx.upsert(billedItem, row);
  const changed = new Set(fresh.flatMap((each) => each.billing.map(({ subscription }) => subscription)));
  for (const subscription of changed) {
    const row = billing.get(subscription);
    if (row !== undefined) tx.upsert(subscriptionBilling, row);
  }
  // What came to nothing is settled without a document.
  const documents = fresh.filter(({ content }) => content.lines.length > 0);
  const sequences = await nextSequences(tx, namespace, documents);
  const written = documents.map((each, place) => insertInvoice(tx, request, each, sequences[place] ?? 0));
  return { written, stale };
}

/** Those whose subscriptions are as they were read, or as the one before left them; `billing` is brought up to date with them. */
function inTheirTurn(
  namespace: string,
  invoices: readonly CollectedInvoice[],
  billing: Map<string, SubscriptionBillingRow>,
): { fresh: readonly CollectedInvoice[]; stale: readonly string[] } {
  const stale = new Set<string>();
  const fresh = invoices.filter((invoice) => {
    const payer = invoice.inputs.customer.key;
    if (stale.has(payer) || !invoice.billing.every((effect) => isAsRead(billing, effect))) {
      stale.add(payer);
      return false;
    }
    for (const effect of invoice.billing) billing.set(effect.subscription, toBillingRow(namespace, effect));
    return true;
  });
  return { fresh, stale: [...stale] };
}

/** The last word on each item: several invoices of one payer may bill of it. */
function changedItems(namespace: string, invoices: readonly CollectedInvoice[]): Iterable<BilledItemRow> {
  const rows = new Map<string, BilledItemRow>();
  for (const { billing } of invoices)
    for (const { subscription, items } of billing)
      for (const item of items)
        rows.set(`${subscription} ${item.id}`, toBilledItemRow({ namespace, subscription }, item));
  return rows.values();
}

async function readTogether(
  tx: Transaction,
  namespace: string,
  invoices: readonly CollectedInvoice[],
): Promise<Map<string, SubscriptionBillingRow>> {
  const names = new Set(invoices.flatMap(({ billing }) => billing.map(({ subscription }) => subscription)));
  const rows = await readBilling(tx, namespace, [...names]);
  return new Map(rows.map((row) => [row.subscription, row]));
}

const isAsRead = (
  billing: ReadonlyMap<string, SubscriptionBillingRow>,
  { subscription, revision }: SubscriptionEffect,
): boolean => billing.get(subscription)?.revision === revision;

const toBillingRow = (
  namespace: string,
  { subscription, revision, settledThrough, termsHash }: SubscriptionEffect,
): SubscriptionBillingRow => ({ namespace, subscription, revision: revision + 1, settledThrough, termsHash });
