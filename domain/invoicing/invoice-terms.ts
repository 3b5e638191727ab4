import type { TimeWindow } from '../calendar/window.ts';
import type { Currency } from '../money/currency.ts';
import type { Money } from '../money/money.ts';
import type { ChargedLine } from './charged-line.ts';
import type { Commitment } from './commitment.ts';
import type { Coupon, CouponShares } from './coupon.ts';
import type { Prices } from './tax.ts';
import type { TaxRate } from './tax-rate.ts';

/** What all lines of an invoice together may amount to at most; of a partial period already prorated. */
export interface InvoiceMaximum<C extends string> {
  readonly amount: Money<C>;
  /** What the same period was billed already. */
  readonly before?: Money<C> | undefined;
}

/** What they must amount to at least: the difference is a line of its own, with this key, period and tax. */
export interface InvoiceMinimum<C extends string> extends InvoiceMaximum<C> {
  readonly key: string;
  readonly period: TimeWindow;
  readonly taxRates: readonly TaxRate[];
}

/** What comes of a commitment is a line of its own, with its key, period and this tax. */
export interface InvoiceCommitment<C extends string> extends Commitment<C> {
  readonly taxRates: readonly TaxRate[];
}

/** Everything that decides what an invoice amounts to. Keys and ids tell its lines apart, so none is used twice. */
export interface InvoiceTerms<C extends string> {
  readonly currency: Currency<C>;
  readonly lines: readonly ChargedLine<C>[];
  /** `LINES_PER_INVOICE_MAX` where nothing is said: more are let through where somebody looks at them before they are issued. */
  readonly linesMax?: number | undefined;
  readonly maximum?: InvoiceMaximum<C> | undefined;
  readonly minimum?: InvoiceMinimum<C> | undefined;
  readonly commitments?: readonly InvoiceCommitment<C>[] | undefined;
  /** In the order in which they are applied. */
  readonly coupons?: readonly Coupon<C>[] | undefined;
  /** `minorUnits` where nothing is said. */
  readonly couponShares?: CouponShares | undefined;
  /** `exclusive` where nothing is said. */
  readonly prices?: Prices | undefined;
}
