import type { TimeWindow } from '../calendar/window.ts';
import type { Currency } from '../money/currency.ts';
import { NONE, roundFraction, subtractFractions, toFraction, type Fraction } from '../money/fraction.ts';
import { add, isZero, money, noMoney, subtract, sum, type Money } from '../money/money.ts';
import { missingToMinimum, overMaximum } from './bounds.ts';
import type { ChargedLine } from './charged-line.ts';
import { checkInvoice } from './check-invoice.ts';
import { settleCommitment } from './commitment.ts';
import { applyCoupons, type AppliedCoupon } from './coupon.ts';
import type { InvoiceCommitment, InvoiceMinimum, InvoiceTerms } from './invoice-terms.ts';
import { InvoicingError } from './invoicing-error.ts';
import { taxesOf, type Tax } from './tax.ts';

/** Where a line comes from: a charge, what is missing to the minimum or to a commitment, or what the overage of one costs more. */
export type LineKind = 'charge' | 'minimum' | 'trueUp' | 'overage';

/** What was taken off a line: the maximum of the invoice, or a coupon by its key. */
export interface LineDiscount<C extends string> {
  readonly kind: 'maximum' | 'coupon';
  readonly key: string | null;
  readonly amount: Money<C>;
}

export interface InvoicedLine<C extends string> {
  readonly kind: LineKind;
  readonly id: string;
  readonly period: TimeWindow;
  readonly amount: Money<C>;
  readonly discounts: readonly LineDiscount<C>[];
  readonly taxes: readonly Tax<C>[];
}

/** An invoice's amounts. `charges` without `discounts` is what tax is due on, or, with prices that include it, what it is part of. */
export interface InvoiceTotals<C extends string> {
  readonly lines: readonly InvoicedLine<C>[];
  readonly charges: Money<C>;
  readonly coupons: readonly { readonly key: string; readonly amount: Money<C> }[];
  readonly discounts: Money<C>;
  readonly net: Money<C>;
  readonly taxes: readonly Tax<C>[];
  readonly tax: Money<C>;
  readonly total: Money<C>;
}

/**
 * What an invoice amounts to, in the order of money: charges, the maximum and the minimum of the invoice, commitments, coupons, tax. Each step
 * sees what those before it left. Promotional credits will stand between coupons and tax and reduce lines as coupons do; prepaid wallets
 * and the customer's balance pay the total, and change no line and no tax.
 *
 * Every amount is in whole minor units, and lines sum to the totals. Throws `InvoicingError` with every violation.
 */
export function totalInvoice<C extends string>(terms: InvoiceTerms<C>): InvoiceTotals<C> {
  const violations = checkInvoice(terms);
  if (violations.length > 0) throw new InvoicingError(violations);
  const { currency, coupons = [], couponShares = 'minorUnits', prices = 'exclusive' } = terms;
  const lines = allLines(terms);
  const open = lines.map(({ id, amount, capped }) => ({
    id,
    open: toFraction(subtract(amount, capped).amount),
  }));
  const applied = applyCoupons(currency, open, coupons, couponShares);
  const taxable = lines.map(({ taxRates }, at) => ({
    taxRates,
    open: afterCoupons(open[at]?.open ?? NONE, applied, at),
  }));
  const taxes = taxesOf(currency, taxable, prices);
  const charges = sum(
    currency,
    lines.map(({ amount }) => amount),
  );
  const discounts = sum(currency, [
    ...lines.map(({ capped }) => capped),
    ...applied.map(({ amount }) => amount),
  ]);
  const left = subtract(charges, discounts);
  const net = prices === 'exclusive' ? left : subtract(left, taxes.total);
  return {
    lines: lines.map((line, at) => ({
      kind: line.kind,
      id: line.id,
      period: line.period,
      amount: line.amount,
      discounts: discountsOf(currency, line, applied, at),
      taxes: taxes.lines[at] ?? [],
    })),
    charges,
    coupons: applied.map(({ key, amount }) => ({ key, amount })),
    discounts,
    net,
    taxes: taxes.breakdown,
    tax: taxes.total,
    total: add(net, taxes.total),
  };
}

/** A line before coupons, with what the maximum took off it. */
interface BilledLine<C extends string> extends ChargedLine<C> {
  readonly kind: LineKind;
  readonly capped: Money<C>;
}

function allLines<C extends string>(terms: InvoiceTerms<C>): BilledLine<C>[] {
  const lines = [...cappedLines(terms)];
  if (terms.minimum) lines.push(...minimumLine(terms.minimum, lines));
  const billed = lines.map(({ period, amount, capped }) => ({ period, amount: subtract(amount, capped) }));
  return [...lines, ...(terms.commitments ?? []).flatMap((commitment) => commitmentLine(commitment, billed))];
}

function cappedLines<C extends string>({ currency, lines, maximum }: InvoiceTerms<C>): BilledLine<C>[] {
  const nothing = noMoney(currency);
  const over = maximum
    ? overMaximum(
        maximum.amount,
        lines.map(({ amount }) => amount),
        maximum.before,
      )
    : [];
  return lines.map((line, at) => ({ ...line, kind: 'charge', capped: over[at] ?? nothing }));
}

function minimumLine<C extends string>(
  minimum: InvoiceMinimum<C>,
  lines: readonly BilledLine<C>[],
): BilledLine<C>[] {
  const { currency } = minimum.amount;
  const billed = sum(
    currency,
    lines.map(({ amount, capped }) => subtract(amount, capped)),
  );
  const missing = missingToMinimum(minimum.amount, add(billed, minimum.before ?? noMoney(currency)));
  return addedLine('minimum', minimum, missing);
}

function commitmentLine<C extends string>(
  commitment: InvoiceCommitment<C>,
  billed: readonly { readonly amount: Money<C>; readonly period: TimeWindow }[],
): BilledLine<C>[] {
  const { trueUp, surcharge } = settleCommitment(commitment, billed);
  return [...addedLine('trueUp', commitment, trueUp), ...addedLine('overage', commitment, surcharge)];
}

/** A line for an amount that is not nothing. */
function addedLine<C extends string>(
  kind: LineKind,
  { key, period, taxRates }: Pick<InvoiceMinimum<C>, 'key' | 'period' | 'taxRates'>,
  amount: Money<C>,
): BilledLine<C>[] {
  if (isZero(amount)) return [];
  return [{ kind, id: key, period, amount, taxRates, capped: noMoney(amount.currency) }];
}

const afterCoupons = <C extends string>(
  open: Fraction,
  applied: readonly AppliedCoupon<C>[],
  line: number,
): Fraction => applied.reduce((left, { shares }) => subtractFractions(left, shares[line] ?? NONE), open);

/** Decimals that an exact share is shown with; what tax is due on keeps them all. */
const SHARE_DECIMALS = 18;

function discountsOf<C extends string>(
  currency: Currency<C>,
  { capped }: BilledLine<C>,
  applied: readonly AppliedCoupon<C>[],
  line: number,
): LineDiscount<C>[] {
  const byCoupons = applied.map(({ key, shares }) => {
    const share = roundFraction(shares[line] ?? NONE, { decimals: SHARE_DECIMALS, rounding: 'halfUp' });
    return { kind: 'coupon' as const, key, amount: money(currency, share) };
  });
  const all = [{ kind: 'maximum' as const, key: null, amount: capped }, ...byCoupons];
  return all.filter(({ amount }) => !isZero(amount));
}
