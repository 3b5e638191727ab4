import { hash } from 'node:crypto';
import type { Instant } from '#domain/instant.ts';
import { dueItems } from '#domain/invoicing/due-items.ts';
import type { GoneItem } from '#domain/invoicing/invoice-inputs.ts';
import { plannedInvoices, type PlannedInvoice } from '#domain/invoicing/planned-invoices.ts';
import type { BillingItem } from '#domain/subscriptions/billing-item.ts';
import { versionOf } from '#domain/subscriptions/plan-versions.ts';
import type { BilledSubscription, Payer } from './read-payers.ts';

/** An item on the way to an invoice. */
export interface DraftItem {
  readonly source: BilledSubscription;
  readonly item: BillingItem | GoneItem;
  readonly itemHash: string;
  readonly through: Instant;
}

/** An invoice before anything of it is measured. */
export interface Draft {
  readonly payer: Payer;
  readonly currency: string;
  readonly seller: string;
  readonly kind: 'period' | 'threshold';
  readonly date: Instant;
  readonly items: readonly DraftItem[];
  readonly unsettled: PlannedInvoice['unsettled'];
}

export interface DraftRules {
  readonly until: Instant;
  /** Usage before it is complete and has had its grace; null: no usage can be billed yet. With `Infinity` all is taken as it is. */
  readonly usageThrough: Instant | null;
  /** Prefix invoices are made where usage has come to a threshold. */
  readonly withThresholds: boolean;
  /** So many dates of a payer are taken in one go: who has more comes again. */
  readonly datesMax: number;
}

/** What is due of a payer, in order of date for each currency and seller; what waits for usage stops those after it. */
export function draftInvoices(payer: Payer, rules: DraftRules): { drafts: Draft[]; isAll: boolean } {
  const groups = Map.groupBy(payer.subscriptions, ({ subscription: { currency, seller } }) =>
    JSON.stringify([currency, seller]),
  );
  const all = [...groups.values()].map((sources) => draftGroup(payer, sources, rules));
  return { drafts: all.flatMap(({ drafts }) => drafts), isAll: all.every(({ isAll }) => isAll) };
}

function draftGroup(
  payer: Payer,
  sources: readonly BilledSubscription[],
  rules: DraftRules,
): { drafts: Draft[]; isAll: boolean } {
  const { until, usageThrough, datesMax } = rules;
  const due = sources.map((source) => ({
    id: source.subscription.id,
    endAt: source.subscription.endAt,
    ...dueItems(source.items, billedSoFar(source), { until, hashOf: itemHash }),
  }));
  const planned = plannedInvoices(due, until);
  const blocked = planned.findIndex(
    ({ ofUsage, date }) => ofUsage && (usageThrough === null || usageThrough < date),
  );
  const ready = planned.slice(0, Math.min(blocked < 0 ? Infinity : blocked, datesMax));
  const place = placeOf(payer, sources);
  const periods = ready.map((each): Draft => ({
    ...place,
    kind: 'period',
    date: each.date,
    unsettled: each.unsettled,
    items: each.items.flatMap(({ subscription, item, itemHash: hashed }) => {
      const source = sources.find((one) => one.subscription.id === subscription);
      const through = item.kind === 'gone' ? each.date : item.period.to;
      return source === undefined ? [] : [{ source, item, itemHash: hashed, through }];
    }),
  }));
  const isAll = ready.length < datesMax;
  return { drafts: [...periods, ...(isAll ? thresholdDraft(place, sources, rules) : [])], isAll };
}

const billedSoFar = ({ billed, billing, isChanged }: BilledSubscription) => ({
  items: billed,
  settledThrough: billing.settledThrough,
  isChanged,
});

type Place = Pick<Draft, 'payer' | 'currency' | 'seller'>;

function placeOf(payer: Payer, [first]: readonly BilledSubscription[]): Place {
  const { currency = '', seller = '' } = first?.subscription ?? {};
  return { payer, currency, seller };
}

const itemHash = (item: BillingItem): string => hash('sha256', JSON.stringify(item), 'base64url');

/** Of all subscriptions with a threshold what they used so far in the periods that go on; whether they have come to it, rating tells. */
function thresholdDraft(
  place: Place,
  sources: readonly BilledSubscription[],
  { until, usageThrough, withThresholds }: DraftRules,
): Draft[] {
  if (!withThresholds || usageThrough === null || usageThrough > until) return [];
  const items = sources
    .filter((source) => thresholdAt(source, usageThrough) !== null)
    .flatMap((source) =>
      source.items
        .filter((item) => item.kind === 'usage' && goesOn(source, item, usageThrough))
        // It is not billed to its end: whatever it is then, it is looked at.
        .map((item) => ({ source, item, itemHash: '', through: usageThrough })),
    );
  return items.length === 0
    ? []
    : [{ ...place, kind: 'threshold', date: usageThrough, items, unsettled: new Set() }];
}

function goesOn({ billed }: BilledSubscription, { id, period }: BillingItem, through: Instant): boolean {
  const from = billed.get(id)?.through ?? period.from;
  return from < through && through < period.to;
}

/** What usage may come to before it is billed; null: to whatever it does. */
export function thresholdAt({ subscription, versions }: BilledSubscription, at: Instant): string | null {
  if (subscription.spendThreshold !== null) return subscription.spendThreshold;
  const terms = subscription.terms.findLast(({ from }) => from <= at);
  if (terms === undefined) return null;
  return versionOf(versions, terms).spendThreshold?.[subscription.currency] ?? null;
}
