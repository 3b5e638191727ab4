import { expect } from 'chai';
import { missingToMinimum } from '#domain/invoicing/bounds.ts';
import { settleCommitment } from '#domain/invoicing/commitment.ts';
import type { Coupon } from '#domain/invoicing/coupon.ts';
import { totalInvoice, type InvoiceTotals, type InvoicedLine } from '#domain/invoicing/total-invoice.ts';
import { allocate } from '#domain/money/allocate.ts';
import { currencyWithDecimals, withCurrency, type Currency } from '#domain/money/currency.ts';
import { ZERO, parseDecimal, toDecimalText } from '#domain/money/decimal.ts';
import { MoneyError } from '#domain/money/money-error.ts';
import { isZero, parseMoney, subtract, sum, toMoneyText, type Money } from '#domain/money/money.ts';
import { round } from '#domain/money/rounding.ts';
import { prepareCharge } from '#domain/pricing/prepared-charge.ts';
import { rateCharge } from '#domain/pricing/rate-charge.ts';
import {
  DEVIATIONS,
  WAITING,
  invoiceVectors,
  type AllocationFacts,
  type CommitmentTrueUp,
  type CouponFacts,
  type Coupons,
  type InvoiceVector,
  type LineAdjustments,
  type TaxOnFee,
  type TrueUp,
} from '#test/vectors/discounts-tax-invoice.ts';
import { PERIOD, fixed, lineOf, percentage, periodOf } from './terms.ts';

/** What we answer, in the shape of what a case expects. */
function answerTo(vector: InvoiceVector): object {
  switch (vector.kind) {
    case 'round':
      return { amount: toDecimalText(round(parseDecimal(vector.input.amount), Number(vector.input.scale))) };
    case 'allocate':
      return { allocations: allocationsOf(vector.input) };
    case 'rejects':
      return refusalOf(vector.input);
    case 'line_adjustments':
      return withCurrency(vector.input.currency, (currency) => adjusted(currency, vector.input));
    case 'coupons':
    case 'invoice':
      return withCurrency(vector.input.currency, (currency) => invoiceOf(currency, vector.input));
    case 'tax_on_fee':
      return withCurrency(vector.input.currency, (currency) => taxOf(currency, vector.input));
    case 'true_up':
      return withCurrency(vector.input.currency, (currency) => trueUpOf(currency, vector.input));
    case 'commitment_true_up':
      return withCurrency(vector.input.currency, (currency) => commitmentOf(currency, vector.input));
    case 'credits_on_lines':
    case 'credit_note_application':
    case 'credit_note_rounding':
      throw new Error(`${vector.id} is not listed as waiting`);
  }
}

/** Parts of nothing are left out there. */
function allocationsOf({ amount, scale, items }: AllocationFacts): Record<string, string> {
  const weights = items.map(({ weight }) => parseDecimal(weight));
  return withCurrency(currencyWithDecimals('unit', Number(scale)), (currency) => {
    const parts = allocate(parseMoney(currency, amount), weights);
    const named = parts.map((part, at) => [items[at]!.key, toMoneyText(part)] as const);
    return Object.fromEntries(named.filter(([, part]) => part !== '0'));
  });
}

function refusalOf(facts: AllocationFacts): object {
  try {
    return { allocations: allocationsOf(facts) };
  } catch (error) {
    if (error instanceof MoneyError) return { error: error.code };
    throw error;
  }
}

/** Percentage discounts are a charge's, rounded there as what is taken off; the rest is the invoice's. */
function adjusted<C extends string>(currency: Currency<C>, input: LineAdjustments['input']): object {
  const before = parseMoney(currency, input.previously_billed);
  const discount = { percent: input.percentage_discount ?? '0' };
  const lines = input.line_amounts.map((amount, at) => {
    const charge = prepareCharge({ price: { model: 'flat', amount }, discount });
    const request = { usage: { quantity: ZERO }, decimals: currency.decimals, rounding: 'tier' } as const;
    return lineOf(currency, String(at), toDecimalText(rateCharge(charge, request).amount));
  });
  const { maximum_amount: maximum, minimum_amount: minimum } = input;
  const invoice = totalInvoice({
    currency,
    lines,
    ...(maximum && { maximum: { amount: parseMoney(currency, maximum), before } }),
    ...(minimum && {
      minimum: {
        key: 'minimum',
        period: PERIOD,
        taxRates: [],
        amount: parseMoney(currency, minimum),
        before,
      },
    }),
  });
  const added = invoice.lines.find(({ kind }) => kind === 'minimum');
  return {
    line_totals: invoice.lines
      .filter(({ kind }) => kind === 'charge')
      .map((line) => toMoneyText(leftOf(line))),
    ...(added && { minimum_line: toMoneyText(added.amount) }),
    total: toMoneyText(invoice.total),
  };
}

const leftOf = <C extends string>({ amount, discounts }: InvoicedLine<C>): Money<C> =>
  subtract(
    amount,
    sum(
      amount.currency,
      discounts.map((discount) => discount.amount),
    ),
  );

/** Lago taxes what is left of a fee to the last digit, whatever can be printed of the share. */
function invoiceOf<C extends string>(currency: Currency<C>, { fees, coupons }: Coupons['input']): object {
  const invoice = totalInvoice({
    currency,
    lines: fees.map(({ id, amount, tax_rates: rates }) => lineOf(currency, id, amount, rates)),
    coupons: coupons.map((coupon, at) => ({ ...couponOf(currency, coupon), key: String(at) })),
    couponShares: 'exact',
  });
  const perFee = invoice.lines.map(({ amount, discounts }) =>
    toMoneyText(
      sum(
        amount.currency,
        discounts.map((discount) => discount.amount),
      ),
    ),
  );
  const taxes = invoice.lines.map((line) =>
    toMoneyText(
      sum(
        currency,
        line.taxes.map(({ amount }) => amount),
      ),
    ),
  );
  return {
    ...totalsOf(invoice),
    per_fee: perFee,
    coupon_per_fee: Object.fromEntries(fees.map(({ id }, at) => [id, perFee[at]])),
    tax_per_fee: Object.fromEntries(fees.map(({ id }, at) => [id, taxes[at]])),
    tax_by_rate: Object.fromEntries(
      invoice.taxes.map(({ rate, amount }) => [rate.toFixed(), toMoneyText(amount)]),
    ),
  };
}

const totalsOf = <C extends string>(invoice: InvoiceTotals<C>): object => ({
  fees_total: toMoneyText(invoice.charges),
  coupon_total: toMoneyText(invoice.discounts),
  coupons_used: String(invoice.coupons.filter(({ amount }) => !isZero(amount)).length),
  subtotal: toMoneyText(invoice.net),
  subtotal_after_coupons: toMoneyText(invoice.net),
  taxes_total: toMoneyText(invoice.tax),
  total: toMoneyText(invoice.total),
});

function couponOf<C extends string>(currency: Currency<C>, facts: CouponFacts): Coupon<C> {
  const { amount, percentage: percent, already_used: used, applies_to_fees: lines } = facts;
  if (facts.type === 'percentage') return percentage(percent!, lines);
  return fixed(currency, amount!, { ...(used && { used }), ...(lines && { lines }) });
}

function taxOf<C extends string>(currency: Currency<C>, input: TaxOnFee['input']): object {
  const invoice = totalInvoice({
    currency,
    lines: [lineOf(currency, 'fee', input.fee_amount, input.tax_rates)],
    coupons: [fixed(currency, input.coupon_on_fee)],
  });
  return { tax_total: toMoneyText(invoice.tax) };
}

const trueUpOf = <C extends string>(currency: Currency<C>, { minimum, used }: TrueUp['input']): object => ({
  true_up: toMoneyText(missingToMinimum(parseMoney(currency, minimum), parseMoney(currency, used))),
});

function commitmentOf<C extends string>(currency: Currency<C>, input: CommitmentTrueUp['input']): object {
  const periods = { current: PERIOD, next: periodOf(20_485, 28), other: periodOf(20_423) };
  const settled = settleCommitment(
    { key: 'commitment', period: PERIOD, amount: parseMoney(currency, input.commitment) },
    input.fees.map(({ amount, covers_period: period }) => ({
      amount: parseMoney(currency, amount),
      period: periods[period],
    })),
  );
  return { true_up: toMoneyText(settled.trueUp) };
}

describe("lines, coupons, commitments and tax agree with other systems' tests", () => {
  for (const vector of invoiceVectors.filter(({ id }) => !WAITING.has(id))) {
    const deviation = DEVIATIONS[vector.id];
    const title = `${vector.id} ${vector.source}`;
    it(deviation ? `${title}; it deviates: ${deviation}` : title, () => {
      const agrees = expect(answerTo(vector));
      if (deviation) agrees.to.not.deep.include(vector.expected);
      else agrees.to.deep.include(vector.expected);
    });
  }

  it('or wait for credits and credit notes, or deviate, by name', () => {
    const known = new Set(invoiceVectors.map(({ id }) => id));
    expect([...WAITING, ...Object.keys(DEVIATIONS)].filter((id) => !known.has(id))).to.deep.equal([]);
  });
});
