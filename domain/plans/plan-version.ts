import type { Charge, Discount, Price, Rate } from '../pricing/charge.ts';
import type { TaxRateText } from './tax-rate-text.ts';

/** What a plan sells, as it is given and stored: every number is plain decimal text, every length of time an ISO 8601 duration. */

/** The money of a charge in a currency that is not the plan's first. */
export interface ChargeInCurrency {
  readonly price: Price;
  readonly rates?: readonly Rate[] | null;
  readonly discount?: Discount | null;
  readonly maximum?: string | null;
  readonly minimum?: string | null;
}

/** A charge that is due once, when it begins, has no cadence of time. */
export const ONCE = 'once';

/**
 * A charge of a plan. With a meter it prices usage; without one it is a fee, of so many seats where its price is of units. Its key says which
 * charges of other versions and plans are its successors: those go on in its periods.
 */
export interface PlanCharge extends Charge {
  readonly key: string;
  /** `P1M` where nothing is said; `once` for a fee that is due a single time. */
  readonly cadence?: string | null;
  /** Seats where a subscription says nothing: 1 if the plan does not either. */
  readonly seats?: string | null;
  /** In the plan's other currencies, by their codes. Everything that is not money is the same in all. */
  readonly inCurrency?: Readonly<Record<string, ChargeInCurrency>> | null;
  /** In place of the customer's; empty: no tax. */
  readonly taxRates?: readonly TaxRateText[] | null;
}

/** What a subscription pays at least or at most for all charges of its plan in each period. Amounts by currency. */
export interface PlanBound {
  readonly amount: Readonly<Record<string, string>>;
  /** `P1M` where nothing is said. */
  readonly cadence?: string | null;
}

/** A minimum that may also make what goes beyond it cost more. */
export interface PlanMinimum extends PlanBound {
  /** What goes beyond the minimum costs so many times its price, 1 where nothing is said. */
  readonly overageFactor?: string | null;
}

/** A stretch of a subscription: a trial, a ramp, or the rest. Only the last one has no duration. */
export interface Phase {
  readonly key: string;
  readonly name?: string | null;
  /** From the end of the phase before; see `phase-spans.ts` for how lengths of one kind are counted together. */
  readonly duration?: string | null;
  readonly charges: readonly PlanCharge[];
  /** In place of the version's own; one of 0 where the version has a minimum and this phase none. */
  readonly minimum?: PlanMinimum | null;
  readonly maximum?: PlanBound | null;
}

/** What a subscription may take besides; its charges are due as often as it is taken. */
export interface AddOn {
  readonly key: string;
  readonly name?: string | null;
  readonly charges: readonly PlanCharge[];
}

export interface PlanVersionDefinition {
  /** ISO 4217; the first is the one that charges are written in. */
  readonly currencies: readonly string[];
  readonly phases: readonly Phase[];
  readonly addOns?: readonly AddOn[] | null;
  readonly minimum?: PlanMinimum | null;
  readonly maximum?: PlanBound | null;
  /** Plans of one family sell the same thing: after a change between them tiers go on. The plan's own key where nothing is said. */
  readonly family?: string | null;
  /** Usage that came to so much since the last invoice is billed at once, before its period ends. By currency. */
  readonly spendThreshold?: Readonly<Record<string, string>> | null;
}

export const PLAN_VERSION_STATES = ['draft', 'active', 'archived'] as const;
export type PlanVersionState = (typeof PLAN_VERSION_STATES)[number];

/** One version of a plan. Only a draft ever changes. */
export interface PlanVersion extends PlanVersionDefinition {
  readonly plan: string;
  /** From 1. */
  readonly version: number;
  readonly state: PlanVersionState;
}
