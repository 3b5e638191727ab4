import type { Decimal } from '../money/decimal.ts';
import type { Fraction } from '../money/fraction.ts';

export type Dimensions = Readonly<Record<string, string>>;

export interface UsageGroup {
  readonly dimensions: Dimensions;
  readonly quantity: Decimal;
}

/** Events in the order of (time, identity). */
export interface UsageEvent {
  readonly value: Decimal;
  readonly dimensions?: Dimensions | undefined;
}

/** What was used: measured, as one quantity, by group or event by event; or bought, as a number of seats. */
export type Usage =
  | {
      readonly quantity: Decimal;
      /** Selects the tier of a volume price in place of the quantity, where only a part of it is charged. */
      readonly tierQuantity?: Decimal | undefined;
    }
  | { readonly groups: readonly UsageGroup[] }
  | { readonly events: readonly UsageEvent[] }
  | { readonly seats: Decimal };

/** What of the same period, at the same price, was billed already. */
export interface Before {
  readonly quantity: Decimal;
  /** What it came to, rounded as it was billed. */
  readonly amount: Decimal;
  /** What it came to before discounts; only a fixed discount of prices of events asks for it. */
  readonly gross?: Decimal | undefined;
  /** Number of events, where some are free. */
  readonly events?: number | undefined;
  readonly groups?: readonly UsageGroup[] | undefined;
}

/** Which part of a period that is billed in parts; `full` where it is not. */
export const SEGMENT_PLACES = ['full', 'first', 'middle', 'last'] as const;
export type SegmentPlace = (typeof SEGMENT_PLACES)[number];

/** Whether usage is this segment's own, or the period's total so far. */
export const RATE_MODES = ['segment', 'cumulative'] as const;
export type RateMode = (typeof RATE_MODES)[number];

/** What is rounded once: a line, each part of a line (usage and fee of each tier), or nothing. */
export const ROUNDING_SCOPES = ['line', 'tier', 'none'] as const;
export type RoundingScope = (typeof ROUNDING_SCOPES)[number];

/** How far segments before a change have come: where the tiers go on. */
export interface Reached {
  /** Billable units, and those of each group by its key. */
  readonly units: Decimal;
  readonly groups: ReadonlyMap<string, UsageGroup>;
  readonly events: number;
  readonly value: Decimal;
}

export interface RateRequest {
  readonly usage: Usage;
  /** Decimals of the minor unit that amounts are rounded to, half away from zero. */
  readonly decimals: number;
  readonly before?: Before | undefined;
  readonly segment?: SegmentPlace | undefined;
  readonly mode?: RateMode | undefined;
  readonly rounding?: RoundingScope | undefined;
  /** The part of the period that this is of; the whole without it. */
  readonly fraction?: Fraction | undefined;
  /** Of a period cut by a change: what the segments before reached. */
  readonly reached?: Reached | undefined;
  /** Of a volume price in such a period: what all segments reach, and whether the flat fee is due with this one. */
  readonly volume?: { readonly period: Reached; readonly feeDue: boolean } | undefined;
}
