import type { Instant } from '#domain/instant.ts';
import { billedLinesOf } from '#domain/invoicing/billed-lines.ts';
import { breakers, type BilledOfSubscription } from '#domain/invoicing/breakers.ts';
import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import { isBound, type BilledItem } from '#domain/invoicing/due-items.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import type {
  CustomerSubjects,
  InvoiceInputs,
  ItemInputs,
  MeasuredUsage,
  SpentLine,
  SubscriptionInputs,
} from '#domain/invoicing/invoice-inputs.ts';
import { spentLinesOf } from '#domain/invoicing/spent-lines.ts';
import { Decimal } from '#domain/money/decimal.ts';
import { toBuyer } from '#infra/customers/to-buyer.ts';
import type { SellerRow } from '#infra/sellers/tables.ts';
import { toSeller } from '#infra/sellers/to-seller.ts';
import type { Freshness } from '#infra/usage/watermark.ts';
import { storedTexts, type CollectedInvoice, type SubscriptionEffect } from './collected-invoice.ts';
import { thresholdAt, type Draft, type DraftItem } from './draft-invoices.ts';
import type { BilledSubscription } from './read-payers.ts';
import type { ParkReason } from './tables.ts';

/** A draft with all that was read for it. */
export interface MeasuredDraft extends Draft {
  /** In the order of its items. */
  readonly usage: readonly (readonly MeasuredUsage[])[];
  /** Whose usage it is. */
  readonly subjects: readonly CustomerSubjects[];
  readonly lastTotal: string | null;
  /** What holds it besides what it says. */
  readonly held: readonly ParkReason[];
}

export interface BuildContext {
  readonly sellers: ReadonlyMap<string, SellerRow>;
  readonly freshness: Freshness | undefined;
  /** Of the snapshot that usage was read in. */
  readonly readAt: Instant;
  readonly newId: () => string;
}

/** What is billed of a subscription as the invoices of a payer are made one after the other. */
interface Standing {
  readonly billed: Map<string, BilledItem>;
  revision: number;
  settledThrough: Instant | null;
  termsHash: string;
}

/** The invoices of one payer: each is billed less what those before it have. Throws what rating throws. */
export function buildDrafts(drafts: readonly MeasuredDraft[], context: BuildContext): CollectedInvoice[] {
  const standings = new Map<string, Standing>();
  return drafts.flatMap((draft) => {
    const reached = draft.kind === 'threshold' ? withThreshold(draft, standings, context) : draft;
    if (reached.items.length === 0) return [];
    const inputs = inputsOf(reached, standings, context);
    return [collected(reached, { inputs, content: buildInvoice(inputs) }, standings, context)];
  });
}

function standingOf(standings: Map<string, Standing>, { subscription, billing, billed }: BilledSubscription) {
  let standing = standings.get(subscription.id);
  if (standing === undefined) {
    const { revision, settledThrough, termsHash } = billing;
    standing = { billed: new Map(billed), revision, settledThrough, termsHash };
    standings.set(subscription.id, standing);
  }
  return standing;
}

/** Only the subscriptions whose usage came to their threshold since it was billed last. */
function withThreshold(
  draft: MeasuredDraft,
  standings: Map<string, Standing>,
  context: BuildContext,
): MeasuredDraft {
  const sources = new Set(draft.items.map(({ source }) => source));
  const reached = new Set(
    [...sources].filter((source) => {
      const only = onlyOf(draft, (item) => item.source === source);
      const { totals } = buildInvoice(inputsOf(only, standings, context));
      const threshold = thresholdAt(source, draft.date);
      return threshold !== null && new Decimal(totals.charges).minus(totals.discounts).gte(threshold);
    }),
  );
  return onlyOf(draft, ({ source }) => reached.has(source));
}

function onlyOf(draft: MeasuredDraft, isIn: (item: DraftItem) => boolean): MeasuredDraft {
  const places = [...draft.items.keys()].filter((place) => {
    const item = draft.items[place];
    return item !== undefined && isIn(item);
  });
  return {
    ...draft,
    items: places.flatMap((place) => draft.items[place] ?? []),
    usage: places.map((place) => draft.usage[place] ?? []),
  };
}

function inputsOf(
  draft: MeasuredDraft,
  standings: Map<string, Standing>,
  context: BuildContext,
): InvoiceInputs {
  const { payer, currency, kind, date } = draft;
  const seller = context.sellers.get(draft.seller);
  if (seller === undefined) throw new Error(`the seller ${draft.seller} was not read`);
  return {
    rules: 1,
    kind,
    currency,
    timezone: payer.customer.timezone,
    seller: toSeller(seller),
    customer: toBuyer(payer.customer),
    date,
    usage: usageRead(draft, context),
    subscriptions: subscriptionInputs(draft, standings),
    extraLines: [],
  };
}

function usageRead(
  { items, subjects, date }: MeasuredDraft,
  { freshness, readAt }: BuildContext,
): InvoiceInputs['usage'] {
  const customers = new Set(
    items.flatMap(({ item, source }) => (item.kind === 'usage' ? [source.customer.key] : [])),
  );
  if (customers.size === 0) return null;
  // Where no feed has ever told, a preview shows what is there.
  const { completeThrough, asOf } = freshness ?? { completeThrough: date, asOf: date };
  return {
    completeThrough,
    asOf,
    readAt,
    subjects: subjects.filter(({ customer }) => customers.has(customer)),
  };
}

function subscriptionInputs(draft: MeasuredDraft, standings: Map<string, Standing>): SubscriptionInputs[] {
  const placed = draft.items.map((item, place) => ({ ...item, usage: draft.usage[place] ?? [] }));
  return [...Map.groupBy(placed, ({ source }) => source)].map(([source, ofSource]) => {
    const { billed } = standingOf(standings, source);
    const items = ofSource.map(({ item, through, usage }): ItemInputs => ({
      item,
      through,
      usage,
      billed: billed.get(item.id)?.lines ?? [],
    }));
    const { subscription, customer } = source;
    return {
      id: subscription.id,
      customer: { key: customer.key, name: customer.name },
      timezone: subscription.timezone,
      items,
      spentBefore: spentBefore(items, billed),
    };
  });
}

/** What items that are not on the invoice have in the time of its minimums and maximums. */
function spentBefore(items: readonly ItemInputs[], billed: ReadonlyMap<string, BilledItem>): SpentLine[] {
  const bounds = items.flatMap(({ item }) =>
    item.kind !== 'gone' && isBound(item) ? [item.period.period] : [],
  );
  if (bounds.length === 0) return [];
  const here = new Set(items.map(({ item }) => item.id));
  return [...billed.values()]
    .filter(({ id }) => !here.has(id))
    .flatMap(spentLinesOf)
    .filter(({ period }) => bounds.some(({ from, to }) => period.from >= from && period.to <= to));
}

function collected(
  draft: MeasuredDraft,
  made: { readonly inputs: InvoiceInputs; readonly content: InvoiceContent },
  standings: Map<string, Standing>,
  { newId }: BuildContext,
): CollectedInvoice {
  const id = newId();
  const billed = usageBilledAround(draft, made.content, standings);
  const found = breakers(made.content, { lastTotal: draft.lastTotal, billed });
  return {
    id,
    ...made,
    parkedFor: [...found.filter(({ code }) => code !== 'nothing_due'), ...draft.held],
    stored: storedTexts(made),
    billing: effectsOf(draft, id, made.content, standings),
  };
}

/** What earlier invoices have of the usage in the time of an invoice: with years of them nobody looks through all. */
function usageBilledAround(
  { items }: MeasuredDraft,
  { lines }: InvoiceContent,
  standings: Map<string, Standing>,
): BilledOfSubscription[] {
  const used = lines.filter(({ usage }) => usage !== null).map(({ period }) => period);
  if (used.length === 0) return [];
  const from = used.reduce((least, period) => Math.min(least, period.from), Infinity);
  const to = used.reduce((most, period) => Math.max(most, period.to), -Infinity);
  return [...new Set(items.map(({ source }) => source))].flatMap((source) =>
    [...standingOf(standings, source).billed.values()]
      .filter(({ kind, period }) => kind === 'usage' && period.from < to && period.to > from)
      .flatMap(({ id, lines: ofItem }) =>
        ofItem.map((line) => ({ ...line, subscription: source.subscription.id, item: id })),
      ),
  );
}

/** What the invoice changes, which those after it build on. */
function effectsOf(
  draft: MeasuredDraft,
  id: string,
  content: InvoiceContent,
  standings: Map<string, Standing>,
): SubscriptionEffect[] {
  const lines = new Map(
    billedLinesOf(id, content).map((each) => [`${each.subscription} ${each.item}`, each.lines]),
  );
  return [...Map.groupBy(draft.items, ({ source }) => source)].map(([source, items]) => {
    const subscription = source.subscription.id;
    const standing = standingOf(standings, source);
    const changed = items.map((one) =>
      billedOf(one, standing.billed.get(one.item.id), lines.get(`${subscription} ${one.item.id}`) ?? []),
    );
    for (const item of changed) standing.billed.set(item.id, item);
    const { revision } = standing;
    standing.revision++;
    if (draft.kind === 'period') {
      standing.settledThrough = Math.max(standing.settledThrough ?? 0, draft.date);
      standing.termsHash = draft.unsettled.has(subscription) ? '' : source.termsHash;
    }
    const { settledThrough, termsHash } = standing;
    return { subscription, revision, settledThrough, termsHash, items: changed };
  });
}

function billedOf(
  { item, itemHash, through }: DraftItem,
  before: BilledItem | undefined,
  lines: BilledItem['lines'],
): BilledItem {
  const all = [...(before?.lines ?? []), ...lines];
  if (item.kind !== 'gone') {
    const { id, kind, period } = item;
    return { id, kind, period: { from: period.from, to: period.to }, through, itemHash, lines: all };
  }
  if (before === undefined) throw new Error(`the item ${item.id} is gone, and nothing was billed of it`);
  return { ...before, lines: all };
}
