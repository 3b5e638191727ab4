import type { Instant } from '#domain/instant.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import type { InvoicingStores } from './collect-invoices.ts';
import { PREVIEW_AHEAD_MICROS_MAX, previewInvoices } from './preview-invoices.ts';

export interface PreviewChange {
  readonly namespace: string;
  /** As it would be after the change. */
  readonly changed: Subscription;
  /** When the change is first felt. */
  readonly from: Instant;
  readonly now: Instant;
}

/** An invoice that a change makes another one: without the change, and with it. Null: there would be none. */
export interface ChangedInvoice {
  readonly before: InvoiceContent | null;
  readonly after: InvoiceContent | null;
}

/**
 * What a change of a subscription costs: the payer's invoices through the first due moment at which the change is felt, with and without it, as
 * far as they differ. Looks no further ahead than a preview does. Throws as `previewInvoices`.
 */
export async function previewChange(
  stores: InvoicingStores,
  { namespace, changed, from, now }: PreviewChange,
): Promise<ChangedInvoice[]> {
  const { customer } = changed;
  const asIs = (at: Instant) => contentsAt(stores, { namespace, customer, now, at });
  const asChanged = (at: Instant) => contentsAt(stores, { namespace, customer, now, at, changed });
  const at = Math.min(Math.max(from, now), now + PREVIEW_AHEAD_MICROS_MAX);
  const [before, after] = [await asIs(at), await asChanged(at)];
  const last = Math.max(...[...before, ...after].map(({ date }) => date));
  return pairUp(await through(last, before, asIs), await through(last, after, asChanged));
}

async function contentsAt(
  stores: InvoicingStores,
  request: Parameters<typeof previewInvoices>[1],
): Promise<InvoiceContent[]> {
  return (await previewInvoices(stores, request)).map(({ content }) => content);
}

/** One side may have something due sooner than the other: both are told through the same moment. */
async function through(
  last: Instant,
  contents: readonly InvoiceContent[],
  read: (at: Instant) => Promise<InvoiceContent[]>,
): Promise<readonly InvoiceContent[]> {
  if (!Number.isFinite(last) || contents.some(({ date }) => date === last)) return contents;
  const further = await read(last);
  // Nothing more may be due for long, and what is due before is due all the same.
  return further.length === 0 ? contents : further.filter(({ date }) => date <= last);
}

function pairUp(before: readonly InvoiceContent[], after: readonly InvoiceContent[]): ChangedInvoice[] {
  const byName = (contents: readonly InvoiceContent[]) =>
    new Map(contents.map((content) => [nameOf(content), content]));
  const [old, young] = [byName(before), byName(after)];
  return [...new Set([...old.keys(), ...young.keys()])]
    .map((name) => ({ before: old.get(name) ?? null, after: young.get(name) ?? null }))
    .filter((pair) => JSON.stringify(pair.before?.lines) !== JSON.stringify(pair.after?.lines))
    .sort((a, b) => dateOf(a) - dateOf(b));
}

const nameOf = ({ currency, seller, date, kind }: InvoiceContent): string =>
  JSON.stringify([date, currency, seller.key, kind]);

const dateOf = ({ before, after }: ChangedInvoice): Instant => (after ?? before)?.date ?? 0;
