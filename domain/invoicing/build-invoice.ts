import { timeZone } from '../calendar/time-zone.ts';
import type { TimeWindow } from '../calendar/window.ts';
import { withCurrency, type Currency } from '../money/currency.ts';
import { parseDecimal } from '../money/decimal.ts';
import type { TaxRateText } from '../plans/tax-rate-text.ts';
import type { BoundItem } from '../subscriptions/billing-item.ts';
import type { ChargeLine, DueLine } from './due-line.ts';
import type { ExtraLine, InvoiceInputs, ItemInputs, SubscriptionInputs } from './invoice-inputs.ts';
import type { InvoiceContent } from './invoice.ts';
import { totalLines, type PlacedLine } from './total-lines.ts';
import { netFees } from './net-fees.ts';
import { giveBack, netUsage } from './net-usage.ts';
import { orderInputs } from './order-inputs.ts';
import { boundLines, inOrderOfBounds } from './plan-bounds.ts';
import { rateItem, type ItemRules } from './rate-item.ts';
import { ratesInForce, readTaxRate, type TaxRate } from './tax-rate.ts';

/**
 * The invoice that inputs make: for each item all that is due for it, less what earlier invoices have of it. The same inputs, in whatever order, make the
 * same invoice, to the byte. Without anything due it has no lines.
 *
 * Charges, then the bounds of plans, then tax: coupons will stand between bounds and tax, and promotional credits after them (`totalInvoice`).
 * Throws `PricingError` where a charge cannot be rated with its usage, and `InvoicingError` where amounts cannot be invoiced.
 */
export function buildInvoice(given: InvoiceInputs): InvoiceContent {
  const inputs = orderInputs(given);
  return withCurrency(inputs.currency, (currency) => {
    const ofSubscriptions = inputs.subscriptions.flatMap((each) => subscriptionLines(inputs, each, currency));
    const lines = [...ofSubscriptions, ...inputs.extraLines.map((line) => extraLine(inputs, line))];
    const { kind, timezone, seller, customer, date } = inputs;
    return {
      kind,
      currency: currency.code,
      timezone,
      seller,
      customer,
      customers: customersOf(inputs, lines),
      date,
      servicePeriod: hullOf(lines) ?? { from: date, to: date },
      prices: seller.prices,
      ...totalLines(currency, lines, seller.prices),
    };
  });
}

/** In whose order the rates of a line are looked for. */
const taxRatesIn = (
  { customer, seller }: Pick<InvoiceInputs, 'customer' | 'seller'>,
  own: readonly TaxRateText[] | null | undefined,
): readonly TaxRate[] =>
  ratesInForce([own, customer.taxRates, seller.taxRates].map((rates) => rates?.map(readTaxRate)));

/** An item with what is due for it, whatever was billed. */
interface DueItem {
  readonly inputs: ItemInputs;
  readonly due: readonly DueLine[];
  readonly net: readonly DueLine[];
}

function subscriptionLines<C extends string>(
  inputs: InvoiceInputs,
  subscription: SubscriptionInputs,
  currency: Currency<C>,
): PlacedLine[] {
  const rules: ItemRules = {
    zone: timeZone(subscription.timezone),
    decimals: currency.decimals,
    taxRatesOf: (charge) => taxRatesIn(inputs, charge?.taxRates),
  };
  const charges = subscription.items.filter(isNoBound).map((item) => dueItem(item, rules));
  const bounds = boundItems(subscription, charges, rules, currency);
  return [...charges, ...bounds].flatMap(({ inputs: { item }, net }) =>
    net.map((line) => ({
      ...line,
      customer: subscription.customer.key,
      subscription: subscription.id,
      item: item.id,
    })),
  );
}

const isNoBound = ({ item }: ItemInputs): boolean => !isBound(item);
const isBound = (item: ItemInputs['item']): item is BoundItem =>
  item.kind === 'minimum' || item.kind === 'maximum';

function dueItem(inputs: ItemInputs, rules: ItemRules): DueItem {
  const { item, billed } = inputs;
  if (item.kind === 'gone' || isBound(item)) return { inputs, due: [], net: giveBack(billed) };
  const due: readonly ChargeLine[] = rateItem(item, inputs, rules);
  return { inputs, due, net: item.kind === 'usage' ? netUsage(due, billed) : netFees(due, billed) };
}

/** What a bound adds or takes off counts toward those after it. */
function boundItems<C extends string>(
  { items, spentBefore }: SubscriptionInputs,
  charges: readonly DueItem[],
  { zone, taxRatesOf }: ItemRules,
  currency: Currency<C>,
): DueItem[] {
  const here = charges.flatMap(({ due }) => due);
  const inputsOf = new Map(items.map((each) => [each.item, each]));
  return inOrderOfBounds(items.map(({ item }) => item).filter(isBound)).flatMap((bound) => {
    const inputs = inputsOf.get(bound);
    if (!inputs) return [];
    const rules = { currency, zone, taxRates: taxRatesOf(null) };
    const due = boundLines(bound, { here, before: spentBefore }, rules);
    here.push(...due);
    return [{ inputs, due, net: netUsage(due, inputs.billed) }];
  });
}

const extraLine = (inputs: InvoiceInputs, line: ExtraLine): PlacedLine => ({
  kind: 'extra',
  customer: null,
  subscription: null,
  item: null,
  charge: null,
  plan: null,
  planVersion: null,
  description: line.description,
  period: line.period,
  quantity: line.quantity,
  unitPrice: line.unitPrice,
  amount: parseDecimal(line.amount),
  taxRates: taxRatesIn(inputs, line.taxRates),
  working: [],
  usage: null,
});

function customersOf(
  { subscriptions }: InvoiceInputs,
  lines: readonly PlacedLine[],
): InvoiceContent['customers'] {
  const names = new Map(subscriptions.map(({ customer: { key, name } }) => [key, name]));
  const keys = new Set(lines.flatMap(({ customer }) => customer ?? []));
  return [...keys].map((key) => ({ key, name: names.get(key) ?? key }));
}

function hullOf(lines: readonly { readonly period: TimeWindow }[]): TimeWindow | undefined {
  let hull: TimeWindow | undefined;
  for (const { period } of lines)
    hull = {
      from: Math.min(hull?.from ?? Infinity, period.from),
      to: Math.max(hull?.to ?? -Infinity, period.to),
    };
  return hull;
}
