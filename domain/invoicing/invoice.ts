import type { TimeWindow } from '../calendar/window.ts';
import type { Instant } from '../instant.ts';
import type { Dimensions } from '../pricing/usage.ts';
import type { Buyer, InvoiceKind, Seller } from './invoice-inputs.ts';
import type { InvoiceStage } from './invoice-stage.ts';
import type { Prices } from './tax.ts';

/**
 * `usage`, `fixed`, `discount`, `maximum`, `minimum`: as a charge was rated. `planMinimum`, `planOverage`, `planMaximum`: what the bounds of a plan
 * add or take off. `billedBefore`: takes off what earlier invoices have of the same item. `unused`: gives back what was paid in advance
 * and is no longer due. `extra`: written by hand.
 */
export const INVOICE_LINE_KINDS = [
  'usage',
  'fixed',
  'discount',
  'maximum',
  'minimum',
  'planMinimum',
  'planOverage',
  'planMaximum',
  'billedBefore',
  'unused',
  'extra',
] as const;
export type InvoiceLineKind = (typeof INVOICE_LINE_KINDS)[number];

/** One tax on a line, or on all of them: numbers are decimal text, the rate in percent as it was. */
export interface InvoiceTax {
  readonly code: string;
  readonly jurisdiction: string;
  readonly rate: string;
  readonly exemption: string | null;
  readonly base: string;
  readonly amount: string;
}

export interface InvoiceLine {
  /** From 1, in the order of the document. */
  readonly id: string;
  readonly kind: InvoiceLineKind;
  /** Whose subscription it is of; null on a line that is of none. */
  readonly customer: string | null;
  readonly subscription: string | null;
  /** The item that it is a part of. */
  readonly item: string | null;
  readonly charge: string | null;
  readonly plan: string | null;
  readonly planVersion: number | null;
  readonly description: string;
  readonly period: TimeWindow;
  readonly dimensions?: Dimensions | undefined;
  readonly quantity: string | null;
  readonly unitPrice: string | null;
  /** In whole minor units; with prices that include tax it is in here. */
  readonly amount: string;
  readonly taxes: readonly InvoiceTax[];
  /** What the amount was computed from, enough to compute it again. Of a line that was written by hand it is empty. */
  readonly working: readonly InvoiceStage[];
  /** The events behind it: exactly those of the meter in the period, of the group if it has dimensions. Null where there are none. */
  readonly usage: LineUsage | null;
}

export interface LineUsage {
  readonly meter: string;
  readonly meterVersion: number;
  /** Hex. */
  readonly fingerprint: string;
}

/** What an invoice says, whoever computes it: a function of its inputs. Amounts are decimal text in whole minor units. */
export interface InvoiceContent {
  readonly kind: InvoiceKind;
  readonly currency: string;
  readonly timezone: string;
  readonly seller: Seller;
  readonly customer: Buyer;
  /** Whose subscriptions its lines are of, in their order: the one who pays, children, or both. */
  readonly customers: readonly { readonly key: string; readonly name: string }[];
  readonly date: Instant;
  /** From the earliest beginning to the latest end of its lines. */
  readonly servicePeriod: TimeWindow;
  readonly prices: Prices;
  readonly lines: readonly InvoiceLine[];
  readonly totals: InvoiceTotalsText;
  /** One for each tax of the invoice. */
  readonly taxes: readonly InvoiceTax[];
}

/** `charges` - `discounts` = `net` (with prices that include tax: + `tax`); `net` + `tax` = `total`. */
export interface InvoiceTotalsText {
  readonly charges: string;
  readonly discounts: string;
  readonly net: string;
  readonly tax: string;
  readonly total: string;
}

/**
 * `draft` may still change or wait for a decision. `finalised` has its content for good and waits for its number. `issued`, `paid` and
 * `uncollectible` have a number. A `void` one counts for nothing; if it was issued it keeps its number.
 */
export const INVOICE_STATES = ['draft', 'finalised', 'issued', 'paid', 'void', 'uncollectible'] as const;
export type InvoiceState = (typeof INVOICE_STATES)[number];
