import { ZERO, type Decimal } from '../money/decimal.ts';
import type { WorkingStage } from '../pricing/working.ts';
import type { InvoiceLine } from './invoice.ts';
import type { TaxRate } from './tax-rate.ts';

/** A line on its way to an invoice: what is due for an item, or what is taken off of what was billed of it. */
export interface DueLine extends Pick<
  InvoiceLine,
  | 'kind'
  | 'charge'
  | 'plan'
  | 'planVersion'
  | 'description'
  | 'period'
  | 'dimensions'
  | 'quantity'
  | 'unitPrice'
  | 'working'
  | 'usage'
> {
  /** In whole minor units. */
  readonly amount: Decimal;
  readonly taxRates: readonly TaxRate[];
}

/** A line as its charge was rated. */
export interface ChargeLine extends DueLine {
  readonly charge: string;
  readonly working: readonly WorkingStage[];
}

export const sumOfDue = (lines: readonly Pick<DueLine, 'amount'>[]): Decimal =>
  lines.reduce((sum, { amount }) => sum.plus(amount), ZERO);
