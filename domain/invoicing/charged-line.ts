import type { TimeWindow } from '../calendar/window.ts';
import type { Money } from '../money/money.ts';
import type { TaxRate } from './tax-rate.ts';

/** A line of an invoice as its charge was rated: the period it is for, and an amount in whole minor units. */
export interface ChargedLine<C extends string> {
  readonly id: string;
  readonly period: TimeWindow;
  readonly amount: Money<C>;
  /** What it is taxed with. None: nothing is said of tax on this line. */
  readonly taxRates: readonly TaxRate[];
}
