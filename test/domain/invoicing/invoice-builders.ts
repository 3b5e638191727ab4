import type { TimeWindow } from '#domain/calendar/window.ts';
import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { billedLinesOf } from '#domain/invoicing/billed-lines.ts';
import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import type {
  BilledLine,
  Buyer,
  InvoiceInputs,
  ItemInputs,
  MeasuredUsage,
  Seller,
  SubscriptionInputs,
} from '#domain/invoicing/invoice-inputs.ts';
import type { PlanCharge } from '#domain/plans/plan-version.ts';
import type { Price } from '#domain/pricing/charge.ts';
import type { BoundItem, ChargeItem, ItemSegment } from '#domain/subscriptions/billing-item.ts';

/** Builders of inputs for tests: what a test says matters, everything else is one that will do. */

export function at(text: string): Instant {
  const parsed = parseRfc3339(text.includes('T') ? text : `${text}T00:00:00Z`);
  if (!parsed) throw new Error(`no time: ${text}`);
  return parsed.at;
}

export const span = (from: string, to: string): TimeWindow => ({ from: at(from), to: at(to) });

/** April has 30 days, each of 24 hours in UTC: tenths and thirds of it are easily reckoned. */
export const APRIL = span('2026-04-01', '2026-05-01');
export const MARCH = span('2026-03-01', '2026-04-01');

export const SELLER: Seller = {
  key: 'default',
  name: 'Millrace Ltd',
  address: null,
  email: null,
  ids: [],
  prices: 'exclusive',
  taxRates: null,
  netTermDays: 30,
  paymentInstructions: null,
};

export const buyer = (key: string, more: Partial<Buyer> = {}): Buyer => ({
  key,
  name: key,
  address: null,
  email: null,
  ids: [],
  taxRates: null,
  netTermDays: null,
  purchaseOrder: null,
  ...more,
});

export const perUnit = (unitPrice: string): Price => ({ model: 'perUnit', unitPrice });
export const flat = (amount: string): Price => ({ model: 'flat', amount });

export const chargeOf = (key: string, price: Price, more: Partial<PlanCharge> = {}): PlanCharge => ({
  key,
  name: key,
  price,
  ...more,
});

export interface SegmentTerms {
  readonly from?: string;
  readonly plan?: string;
  readonly version?: number;
  readonly price?: Price;
  readonly seats?: string | null;
  readonly charge?: Partial<PlanCharge>;
}

export interface ItemTerms {
  /** The period of the rule. */
  readonly whole?: TimeWindow;
  /** What of it the item is. */
  readonly period?: TimeWindow;
  readonly segments?: readonly SegmentTerms[];
}

/** An item of a charge: its segments begin where they say, and end where the next one begins. */
export function itemOf(kind: ChargeItem['kind'], charge: PlanCharge, terms: ItemTerms = {}): ChargeItem {
  const { whole = APRIL, period = whole, segments = [{}] } = terms;
  const made = segments.map((segment, index): ItemSegment => {
    const next = segments[index + 1]?.from;
    return {
      from: segment.from === undefined ? period.from : at(segment.from),
      to: next === undefined ? period.to : at(next),
      plan: segment.plan ?? 'team',
      version: segment.version ?? 1,
      charge: { ...charge, ...segment.charge },
      price: segment.price ?? charge.price,
      seats: segment.seats ?? null,
    };
  });
  const [first, ...rest] = made;
  if (!first) throw new Error('an item has a segment');
  return {
    kind,
    id: `${charge.key}@${period.from}`,
    charge: charge.key,
    period: { ...period, period: whole, stub: null },
    segments: [first, ...rest],
    dueAt: kind === 'usage' || charge.timing !== 'inAdvance' ? period.to : period.from,
  };
}

export const boundOf = (
  kind: BoundItem['kind'],
  amount: string,
  terms: { whole?: TimeWindow; period?: TimeWindow; overageFactor?: string } = {},
): BoundItem => {
  const { whole = APRIL, period = whole, overageFactor = null } = terms;
  return {
    kind,
    id: `${kind}@${period.from}`,
    period: { ...period, period: whole, stub: null },
    amount,
    overageFactor,
    dueAt: period.to,
  };
};

export const FINGERPRINT = '0f1d298a26c277a2ddf9ea8b14157858';

export const quantity = (units: string | number, fingerprint = FINGERPRINT): MeasuredUsage => ({
  kind: 'quantity',
  meter: 'tokens',
  meterVersion: 1,
  quantity: String(units),
  fingerprint,
});

export const groups = (
  ...all: readonly (readonly [Record<string, string>, string | number])[]
): MeasuredUsage => ({
  kind: 'groups',
  meter: 'tokens',
  meterVersion: 1,
  groups: all.map(([dimensions, units], index) => ({
    dimensions,
    quantity: String(units),
    fingerprint: (index + 1).toString(16).padStart(32, '0'),
  })),
});

export const inputsOfItem = (
  item: ItemInputs['item'],
  more: Partial<Omit<ItemInputs, 'item'>> = {},
): ItemInputs => ({
  item,
  through: item.kind === 'gone' ? 0 : item.period.to,
  usage: [],
  billed: [],
  ...more,
});

export const subscriptionOf = (
  items: readonly ItemInputs[],
  more: Partial<SubscriptionInputs> = {},
): SubscriptionInputs => ({
  id: 'sub-1',
  customer: { key: 'acme', name: 'Acme' },
  timezone: 'UTC',
  items,
  spentBefore: [],
  ...more,
});

export const inputsOf = (
  subscriptions: readonly SubscriptionInputs[],
  more: Partial<InvoiceInputs> = {},
): InvoiceInputs => ({
  rules: 1,
  kind: 'period',
  currency: 'EUR',
  timezone: 'UTC',
  seller: SELLER,
  customer: buyer('acme'),
  date: APRIL.to,
  usage: null,
  subscriptions,
  extraLines: [],
  ...more,
});

/** The invoice of one subscription with these items. */
export const invoiceOf = (items: readonly ItemInputs[], more: Partial<InvoiceInputs> = {}): InvoiceContent =>
  buildInvoice(inputsOf([subscriptionOf(items)], more));

/** What several invoices, one after the other, have of an item. */
export const billedOf = (item: string, ...invoices: readonly InvoiceContent[]): BilledLine[] =>
  invoices.flatMap((content, index) =>
    billedLinesOf(`invoice-${index + 1}`, content).flatMap((each) => (each.item === item ? each.lines : [])),
  );

/** Lines in few words: `kind description amount`. */
export const said = ({ lines }: InvoiceContent): string[] =>
  lines.map(({ kind, description, amount }) => `${kind} | ${description} | ${amount}`);

/** An item of usage in one segment. */
export const used = (item: ChargeItem, usage: MeasuredUsage, more: Partial<ItemInputs> = {}): ItemInputs =>
  inputsOfItem(item, { usage: [usage], ...more });
