import type { BilledItem } from '#domain/invoicing/due-items.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import {
  billedItem,
  subscriptionBilling,
  type BilledItemRow,
  type InvoiceRow,
  type SubscriptionBillingRow,
} from './tables.ts';

export const toBilledItem = ({
  item,
  kind,
  periodFrom,
  periodTo,
  through,
  itemHash,
  lines,
}: BilledItemRow): BilledItem => ({
  id: item,
  kind: kind as BilledItem['kind'],
  period: { from: periodFrom, to: periodTo },
  through,
  itemHash,
  lines,
});

export const toBilledItemRow = (
  { namespace, subscription }: { readonly namespace: string; readonly subscription: string },
  { id, kind, period, through, itemHash, lines }: BilledItem,
): BilledItemRow => ({
  namespace,
  subscription,
  periodFrom: period.from,
  item: id,
  kind,
  periodTo: period.to,
  through,
  itemHash,
  lines,
});

/** The billing rows of subscriptions, in their order; revision 0 where nothing was ever billed. */
export async function readBilling(
  from: Reads,
  namespace: string,
  subscriptions: readonly string[],
): Promise<SubscriptionBillingRow[]> {
  if (subscriptions.length === 0) return [];
  const rows = await from.read(
    subscriptionBilling,
    subscriptions.map((subscription) => [namespace, subscription]),
  );
  return subscriptions.map(
    (subscription, place) =>
      rows[place] ?? { namespace, subscription, revision: 0, settledThrough: null, termsHash: '' },
  );
}

/**
 * Takes the lines of an invoice off what is billed, so that its items are due again. How far its subscriptions are settled is not known any
 * more: the next collection compares all that is due with all that is billed.
 */
export async function takeOff(
  tx: Transaction,
  { namespace, id, subscriptions }: Pick<InvoiceRow, 'namespace' | 'id' | 'subscriptions'>,
): Promise<void> {
  const billing = await readBilling(tx, namespace, subscriptions);
  for (const row of billing) {
    tx.upsert(subscriptionBilling, { ...unsettled(row), revision: row.revision + 1 });
    for await (const item of tx.scan(billedItem, { prefix: [namespace, row.subscription] }))
      withoutInvoice(tx, item, id);
  }
}

/** Nothing is known to be settled: all that is due is compared with all that is billed. */
export const unsettled = (row: SubscriptionBillingRow): SubscriptionBillingRow => ({
  ...row,
  settledThrough: null,
  termsHash: '',
});

function withoutInvoice(tx: Transaction, row: BilledItemRow, invoice: string): void {
  const left = withoutLinesOf(row, (id) => id === invoice);
  if (left === undefined) tx.delete(billedItem, [row.namespace, row.subscription, row.periodFrom, row.item]);
  else if (left !== row) tx.upsert(billedItem, left);
}

/** What is billed of an item without the lines of some invoices; undefined when nothing is left, the row itself when it has none of theirs. */
export function withoutLinesOf(
  row: BilledItemRow,
  isTaken: (invoice: string) => boolean,
): BilledItemRow | undefined {
  const lines = row.lines.filter(({ invoice }) => !isTaken(invoice));
  if (lines.length === row.lines.length) return row;
  if (lines.length === 0) return undefined;
  const through = Math.max(row.periodFrom, ...lines.map(({ period }) => period.to));
  // No item has this hash, so it is compared with what is left.
  return { ...row, lines, through: Math.min(through, row.through), itemHash: '' };
}
