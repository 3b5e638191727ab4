import type { Rounding } from '../money/rounding.ts';

/** What a plan charges for, as it is given and stored: every number is plain decimal text. */

/** `upTo` is inclusive; null is without a bound, which the last tier and no other has. */
export interface Tier {
  readonly upTo: string | null;
  readonly unitPrice?: string | null;
  /** Of the first tier due even without usage, of later ones when they are reached. */
  readonly flatFee?: string | null;
  /** Units are sold in blocks of this size: `unitPrice` is for each one begun in the tier. */
  readonly blockSize?: string | null;
}

export interface PercentTier {
  readonly upTo: string | null;
  readonly percent?: string | null;
  readonly flatFee?: string | null;
}

export interface FlatPrice {
  readonly model: 'flat';
  readonly amount: string;
}
export interface PerUnitPrice {
  readonly model: 'perUnit';
  readonly unitPrice: string;
}
export interface GraduatedPrice {
  readonly model: 'graduated';
  readonly tiers: readonly Tier[];
}
export interface VolumePrice {
  readonly model: 'volume';
  readonly tiers: readonly Tier[];
}
export interface PackagePrice {
  readonly model: 'package';
  readonly size: string;
  readonly price: string;
}
export interface PercentagePrice {
  readonly model: 'percentage';
  readonly percent: string;
  readonly feePerEvent?: string | null;
  readonly freeEvents?: string | null;
  readonly freeAmount?: string | null;
  readonly minimumPerEvent?: string | null;
  readonly maximumPerEvent?: string | null;
}
export interface GraduatedPercentagePrice {
  readonly model: 'graduatedPercentage';
  readonly tiers: readonly PercentTier[];
}
export interface MatrixCell {
  readonly match: Readonly<Record<string, string>>;
  readonly unitPrice: string;
}
export interface MatrixPrice {
  readonly model: 'matrix';
  readonly dimensions: readonly string[];
  readonly cells: readonly MatrixCell[];
  /** What a unit costs that no cell names; without it, nothing. */
  readonly defaultUnitPrice?: string | null;
}
export interface DynamicPrice {
  readonly model: 'dynamic';
  readonly multiplier?: string | null;
}

export type Price =
  | FlatPrice
  | PerUnitPrice
  | GraduatedPrice
  | VolumePrice
  | PackagePrice
  | PercentagePrice
  | GraduatedPercentagePrice
  | MatrixPrice
  | DynamicPrice;

export const PRICE_MODELS = [
  'flat',
  'perUnit',
  'graduated',
  'volume',
  'package',
  'percentage',
  'graduatedPercentage',
  'matrix',
  'dynamic',
] as const satisfies readonly Price['model'][];

export const CONVERSION_ROUNDINGS = [
  'none',
  'halfUp',
  'halfDown',
  'halfEven',
  'up',
  'down',
  'ceiling',
  'floor',
] as const satisfies readonly (Rounding | 'none')[];
export type ConversionRounding = (typeof CONVERSION_ROUNDINGS)[number];

/** Whether a rounded conversion is of all usage of the period so far, or of each segment by itself. */
export const ROUNDING_EXTENTS = ['period', 'segment'] as const;

export interface Conversion {
  readonly operation: 'divide' | 'multiply';
  readonly factor: string;
  readonly rounding?: ConversionRounding | null;
  /** Decimals that rounding keeps, 0 without it. */
  readonly decimals?: number | null;
  readonly roundingOf?: (typeof ROUNDING_EXTENTS)[number] | null;
}

/** From what is measured to what is priced: converted and rounded first, then the free units taken off. */
export interface QuantityRule {
  /** Short for a conversion that divides, with `rounding`. */
  readonly divideBy?: string | null;
  readonly rounding?: ConversionRounding | null;
  readonly conversion?: Conversion | null;
  readonly free?: string | null;
}

export interface Discount {
  readonly percent?: string | null;
  readonly amount?: string | null;
}

export const TIMINGS = ['inAdvance', 'inArrears'] as const;
export const ON_CHANGE = ['continue', 'restart', 'prorateTiers'] as const;
export type OnChange = (typeof ON_CHANGE)[number];
export const PRORATIONS = ['exact', 'day', 'none'] as const;
export const TIERS_OVER = ['line', 'total'] as const;

/** Another price from a day on, in the customer's calendar. */
export interface Rate {
  readonly from: string;
  readonly price: Price;
}

export interface Charge {
  readonly key?: string | null;
  readonly name?: string | null;
  readonly meter?: string | null;
  /** When a flat price is due in a period that is billed in parts. */
  readonly timing?: (typeof TIMINGS)[number] | null;
  readonly cadence?: string | null;
  readonly price: Price;
  readonly rates?: readonly Rate[] | null;
  readonly quantity?: QuantityRule | null;
  readonly discount?: Discount | null;
  readonly maximum?: string | null;
  readonly minimum?: string | null;
  readonly onChange?: OnChange | null;
  readonly proration?: (typeof PRORATIONS)[number] | null;
  readonly tiersOver?: (typeof TIERS_OVER)[number] | null;
}
