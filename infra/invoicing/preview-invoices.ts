import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import { billingItems } from '#domain/subscriptions/billing-items.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import { CustomerError } from '#infra/customers/errors.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import type { Reads } from '#infra/database/database.ts';
import type { InvoicePreview } from './collected-invoice.ts';
import { collectInvoices, type InvoicingStores } from './collect-invoices.ts';
import { SubscriptionError } from '#infra/subscriptions/errors.ts';
import { InvoicingRuleError } from './errors.ts';
import { payerOf, readPayers, type ReadPayers } from './read-payers.ts';

export interface PreviewInvoices {
  readonly namespace: string;
  /** The one who pays, or a child of it. */
  readonly customer: string;
  readonly now: Instant;
  /** Through the first moment from then on at which something is due; now where nothing is said. */
  readonly at?: Instant | undefined;
  /** Only this one, by its id. */
  readonly subscription?: string | undefined;
  /** In the place of the stored one, or beside the others if there is none of its id. */
  readonly changed?: Subscription | undefined;
}

/** Looking further ahead would say little: more than the longest billing period of a year. */
export const PREVIEW_AHEAD_MICROS_MAX = 400 * MICROS_PER_DAY;

/**
 * The payer's next invoices as they would be: all that is due and not billed, through the first due moment from `at` on, with usage as it is by now.
 * The same code as that which bills, and nothing is written. Empty where nothing is due within 400 days. Throws `CustomerError`
 * `customer_not_found`, `SubscriptionError` `subscription_not_found`, and `InvoicingRuleError` `invalid_invoice` where what is due cannot be billed.
 */
export async function previewInvoices(
  stores: InvoicingStores,
  request: PreviewInvoices,
): Promise<InvoicePreview[]> {
  const { namespace, customer, now, subscription, changed } = request;
  const place = await inSnapshot(stores.database, (snapshot) => nextDue(snapshot, request));
  if (place === undefined) throw new CustomerError('customer_not_found', `there is no customer ${customer}`);
  if (place.dueAt === undefined) return [];
  const { invoices, failures, more } = await collectInvoices(stores, {
    namespace,
    payers: [place.payer],
    asOf: place.dueAt,
    now,
    subscription,
    changed,
    isPreview: true,
  });
  const [failure] = failures;
  if (failure !== undefined)
    throw new InvoicingRuleError('invalid_invoice', failure.message, [
      { pointer: '', code: failure.code, message: failure.message },
    ]);
  if (more.length > 0) throw tooMany(place.payer);
  return invoices
    .filter(({ content }) => content.lines.length > 0)
    .map(({ inputs, content, parkedFor }) => ({ inputs, content, parkedFor }));
}

function tooMany(payer: string): InvoicingRuleError {
  const message = `more invoices of ${payer} are due than can be shown: have them made first`;
  return new InvoicingRuleError('invalid_invoice', message, [
    { pointer: '', code: 'too_many_invoices', message },
  ]);
}

async function nextDue(
  from: Reads,
  { namespace, customer, at, now, subscription, changed }: PreviewInvoices,
): Promise<{ payer: string; dueAt: Instant | undefined } | undefined> {
  const payer = await payerOf(from, namespace, customer);
  if (payer === undefined) return undefined;
  const asked: ReadPayers = { namespace, payers: [payer.key], until: at ?? now, subscription, changed };
  const [found] = await readPayers(from, asked);
  if (subscription !== undefined && found?.subscriptions.length === 0)
    throw new SubscriptionError(
      'subscription_not_found',
      `${payer.key} pays for no subscription ${subscription}`,
    );
  const moments = (found?.subscriptions ?? []).flatMap((source) => dueFrom(source, asked.until) ?? []);
  return { payer: payer.key, dueAt: moments.length === 0 ? undefined : Math.min(...moments) };
}

/** The first moment from `at` on at which a subscription has something due, its end among them. */
function dueFrom(
  { subscription, versions }: Awaited<ReturnType<typeof readPayers>>[number]['subscriptions'][number],
  at: Instant,
): Instant | undefined {
  const ahead = at + PREVIEW_AHEAD_MICROS_MAX;
  for (const { dueAt } of billingItems(subscription, versions, { from: at, until: ahead }))
    if (dueAt >= at && dueAt <= ahead) return dueAt;
  // What has ended may still have something to settle.
  return subscription.endAt !== null && subscription.endAt <= at ? at : undefined;
}
