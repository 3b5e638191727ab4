import type { Charge } from './charge.ts';
import type { LINE_KINDS } from './settle.ts';
import type { Dimensions, RateMode, RoundingScope, SegmentPlace } from './usage.ts';
import type { WorkingStage } from './working.ts';

/** What the calculator of prices is asked, and what it answers: numbers are plain decimal text. */

export interface EvaluatedGroup {
  readonly dimensions: Dimensions;
  readonly quantity: string;
}

export type EvaluatedUsage =
  | { readonly quantity: string; readonly tierQuantity?: string | undefined }
  | { readonly groups: readonly EvaluatedGroup[] }
  | { readonly events: readonly { readonly value: string; readonly dimensions?: Dimensions | undefined }[] }
  | { readonly seats: string };

export interface EvaluatedBefore {
  readonly quantity: string;
  readonly amount: string;
  readonly gross?: string | undefined;
  readonly events?: number | undefined;
  readonly groups?: readonly EvaluatedGroup[] | undefined;
}

export interface PriceEvaluation {
  /** ISO 4217. */
  readonly currency: string;
  readonly charge: Charge;
  readonly usage: EvaluatedUsage;
  readonly before?: EvaluatedBefore | undefined;
  readonly segment?: SegmentPlace | undefined;
  readonly mode?: RateMode | undefined;
  readonly rounding?: RoundingScope | undefined;
  /** Decimals to round to, in place of the currency's own. */
  readonly scale?: number | undefined;
  /** The part of a period that is rated, from 0 to 1. */
  readonly fraction?: string | undefined;
  /** The local date whose price is asked for, of a charge with prices by date. */
  readonly date?: string | undefined;
}

export interface EvaluatedLine {
  readonly kind: (typeof LINE_KINDS)[number];
  readonly description: string;
  readonly dimensions?: Dimensions;
  readonly quantity: string | null;
  readonly unitPrice: string | null;
  readonly amount: string;
}

export interface EvaluatedPrice {
  readonly amount: string;
  readonly currency: string;
  readonly lines: readonly EvaluatedLine[];
  readonly working: readonly WorkingStage[];
}
