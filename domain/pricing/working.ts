/**
 * How an amount came about, as plain data: every number is decimal text, so that it can be kept with an invoice, printed below a line and
 * computed again by hand. Amounts are exact until a stage says `rounded`.
 */
export type WorkingStage =
  | QuantityStage
  | PriceStage
  | PercentDiscountStage
  | FixedDiscountStage
  | MaximumStage
  | MinimumStage
  | RoundingStage
  | BilledBeforeStage
  | NotDueStage;

interface OfGroup {
  readonly group?: Readonly<Record<string, string>>;
}

/** From measured to billable units. `from` and `to` are where they stand in the period: the tiers go on from there. */
export interface QuantityStage extends OfGroup {
  readonly stage: 'quantity';
  readonly measured: string;
  readonly measuredBefore: string;
  readonly converted: string;
  readonly free: string;
  readonly from: string;
  readonly to: string;
}

export interface WorkingPart {
  readonly kind: 'usage' | 'fixed';
  readonly label: string;
  readonly tier?: number;
  readonly quantity: string;
  readonly unitPrice: string | null;
  readonly amount: string;
  /** Only where each part is rounded. */
  readonly rounded?: string;
}

export interface PriceStage extends OfGroup {
  readonly stage: 'price';
  readonly model: string;
  readonly parts: readonly WorkingPart[];
  /** The part of the period that a fee is for, such as `10/31`. */
  readonly fraction?: string;
  readonly amount: string;
  readonly rounded?: string;
}

export interface PercentDiscountStage {
  readonly stage: 'percentDiscount';
  readonly percent: string;
  readonly amount: string;
}

export interface FixedDiscountStage {
  readonly stage: 'fixedDiscount';
  /** What of the discount is left in this period. */
  readonly available: string;
  readonly amount: string;
}

export interface MaximumStage {
  readonly stage: 'maximum';
  readonly maximum: string;
  readonly billedBefore: string;
  readonly amount: string;
}

export interface MinimumStage {
  readonly stage: 'minimum';
  readonly minimum: string;
  readonly billedBefore: string;
  /** The rounded amounts that count toward it, and what is missing. */
  readonly reached: string;
  readonly trueUp: string;
}

export interface RoundingStage {
  readonly stage: 'rounding';
  readonly scope: 'line' | 'tier';
  readonly decimals: number;
  readonly rounding: 'halfUp';
  readonly amount: string;
  readonly rounded: string;
}

export interface BilledBeforeStage {
  readonly stage: 'billedBefore';
  readonly amount: string;
}

/** Nothing is due with this segment; `due` says with which it is. */
export interface NotDueStage {
  readonly stage: 'notDue';
  readonly due: 'first' | 'last';
}
