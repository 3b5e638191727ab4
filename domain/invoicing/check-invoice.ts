import type { TimeWindow } from '../calendar/window.ts';
import {
  COMMITMENTS_PER_INVOICE_MAX,
  COUPONS_PER_INVOICE_MAX,
  LINES_PER_INVOICE_MAX,
  TAX_RATES_PER_LINE_MAX,
} from '../limits.ts';
import type { AnyCurrency } from '../money/currency.ts';
import { HUNDRED, ONE } from '../money/decimal.ts';
import { NONE, WHOLE, compareFractions } from '../money/fraction.ts';
import { isPayable, type AnyMoney } from '../money/money.ts';
import type { Violation } from '../violation.ts';
import type { Commitment } from './commitment.ts';
import type { Coupon } from './coupon.ts';
import type { InvoiceMaximum, InvoiceMinimum, InvoiceTerms } from './invoice-terms.ts';
import { checkTaxRates, type TaxRate } from './tax-rate.ts';

/** All that keeps terms from being an invoice, at once; of more than the limits allow, only that. */
export function checkInvoice<C extends string>(terms: InvoiceTerms<C>): Violation[] {
  const { currency, lines, maximum, minimum, commitments = [], coupons = [] } = terms;
  const tooMany = checkNumbers(terms);
  if (tooMany.length > 0) return tooMany;
  return [
    ...checkNames(terms),
    ...lines.flatMap(({ amount, period, taxRates }, index) => [
      ...checkPayable(currency, `/lines/${index}/amount`, amount),
      ...checkOrder(`/lines/${index}/period`, period),
      ...checkRates(`/lines/${index}/taxRates`, taxRates),
    ]),
    ...(maximum ? checkBound(currency, '/maximum', maximum) : []),
    ...(minimum ? checkMinimum(currency, minimum, maximum) : []),
    ...commitments.flatMap((commitment, index) => [
      ...checkCommitment(currency, `/commitments/${index}`, commitment),
      ...checkRates(`/commitments/${index}/taxRates`, commitment.taxRates),
    ]),
    ...coupons.flatMap((coupon, index) => checkCoupon(currency, `/coupons/${index}`, coupon)),
  ];
}

/** A minimum and each commitment may come to a line of their own. */
function checkNumbers<C extends string>(terms: InvoiceTerms<C>): Violation[] {
  const { lines, linesMax = LINES_PER_INVOICE_MAX, minimum, commitments = [], coupons = [] } = terms;
  const lineCount = lines.length + (minimum ? 1 : 0) + commitments.length;
  return [
    ...checkNumber('/lines', lineCount, linesMax),
    ...checkNumber('/commitments', commitments.length, COMMITMENTS_PER_INVOICE_MAX),
    ...checkNumber('/coupons', coupons.length, COUPONS_PER_INVOICE_MAX),
  ];
}

const checkNumber = (pointer: string, found: number, max: number): Violation[] =>
  found > max ? [{ pointer, code: 'too_many', message: `are ${found}, and may be ${max} at most` }] : [];

/** Lines of every kind have a name of their own, and so has each coupon. */
function checkNames<C extends string>(terms: InvoiceTerms<C>): Violation[] {
  const { lines, minimum, commitments = [], coupons = [] } = terms;
  const lineNames = [
    ...lines.map(({ id }, index) => ({ name: id, pointer: `/lines/${index}/id` })),
    ...(minimum ? [{ name: minimum.key, pointer: '/minimum/key' }] : []),
    ...commitments.map(({ key }, index) => ({ name: key, pointer: `/commitments/${index}/key` })),
  ];
  const couponNames = coupons.map(({ key }, index) => ({ name: key, pointer: `/coupons/${index}/key` }));
  return [...checkUnique(lineNames, 'line'), ...checkUnique(couponNames, 'coupon')];
}

interface Named {
  readonly name: string;
  readonly pointer: string;
}

function checkUnique(all: readonly Named[], thing: string): Violation[] {
  const seen = new Set<string>();
  return all.flatMap(({ name, pointer }) => {
    if (!seen.has(name)) return (seen.add(name), []);
    return [{ pointer, code: 'duplicate_name', message: `is the name of another ${thing}` }];
  });
}

/** An amount that the invoice can add up and somebody can pay. */
function checkPayable(currency: AnyCurrency, pointer: string, amount: AnyMoney): Violation[] {
  if (amount.currency.code !== currency.code)
    return [{ pointer, code: 'currency_mismatch', message: `is not in ${currency.code}` }];
  if (amount.amount.isFinite() && isPayable(amount)) return [];
  const message = `has at most ${currency.decimals} decimals in ${currency.code}`;
  return [{ pointer, code: 'not_in_minor_units', message }];
}

/** One that is not below 0, either. */
function checkPositive(currency: AnyCurrency, pointer: string, amount: AnyMoney): Violation[] {
  const found = checkPayable(currency, pointer, amount);
  if (amount.amount.lessThan(0))
    found.push({ pointer, code: 'negative_amount', message: 'must not be negative' });
  return found;
}

const checkRates = (pointer: string, rates: readonly TaxRate[]): Violation[] => [
  ...checkNumber(pointer, rates.length, TAX_RATES_PER_LINE_MAX),
  ...checkTaxRates(pointer, rates),
];

const checkBound = (
  currency: AnyCurrency,
  pointer: string,
  { amount, before }: { readonly amount: AnyMoney; readonly before?: AnyMoney | undefined },
): Violation[] => [
  ...checkPositive(currency, `${pointer}/amount`, amount),
  ...(before ? checkPayable(currency, `${pointer}/before`, before) : []),
];

function checkMinimum<C extends string>(
  currency: AnyCurrency,
  minimum: InvoiceMinimum<C>,
  maximum: InvoiceMaximum<C> | undefined,
): Violation[] {
  const found = [
    ...checkBound(currency, '/minimum', minimum),
    ...checkRates('/minimum/taxRates', minimum.taxRates),
    ...checkPeriod('/minimum/period', minimum.period),
  ];
  if (maximum && minimum.amount.amount.greaterThan(maximum.amount.amount)) {
    const message = 'must not be above the maximum';
    found.push({ pointer: '/minimum/amount', code: 'minimum_over_maximum', message });
  }
  return found;
}

/** What is sold at once is for no length of time. */
const checkOrder = (pointer: string, { from, to }: TimeWindow): Violation[] =>
  from <= to ? [] : [{ pointer, code: 'reversed_period', message: 'must not end before it begins' }];

const checkPeriod = (pointer: string, { from, to }: TimeWindow): Violation[] =>
  from < to ? [] : [{ pointer, code: 'empty_period', message: 'must end after it begins' }];

function checkCommitment<C extends string>(
  currency: AnyCurrency,
  pointer: string,
  { amount, part = WHOLE, overageFactor = ONE, period }: Commitment<C>,
): Violation[] {
  const found = [
    ...checkPositive(currency, `${pointer}/amount`, amount),
    ...checkPeriod(`${pointer}/period`, period),
  ];
  if (compareFractions(part, NONE) < 0)
    found.push({ pointer: `${pointer}/part`, code: 'negative_part', message: 'must not be negative' });
  if (!overageFactor.isFinite() || overageFactor.lessThan(1)) {
    const message = 'is 1 or more: less would be a discount';
    found.push({ pointer: `${pointer}/overageFactor`, code: 'overage_factor_below_one', message });
  }
  return found;
}

function checkCoupon<C extends string>(
  currency: AnyCurrency,
  pointer: string,
  coupon: Coupon<C>,
): Violation[] {
  if (coupon.kind === 'fixed') {
    const { amount, used } = coupon;
    return [
      ...checkPositive(currency, `${pointer}/amount`, amount),
      ...(used ? checkPositive(currency, `${pointer}/used`, used) : []),
    ];
  }
  const { percent } = coupon;
  if (percent.isFinite() && !percent.lessThan(0) && !percent.greaterThan(HUNDRED)) return [];
  return [{ pointer: `${pointer}/percent`, code: 'percent_out_of_range', message: 'is between 0 and 100' }];
}
