import type { AnchorChoice } from '../calendar/anchor.ts';
import type { Instant } from '../instant.ts';
import type { Discount, Price, QuantityRule } from '../pricing/charge.ts';

/** What one subscription pays otherwise than its plan says. */
export interface ChargeOverride {
  readonly price?: Price | null;
  readonly quantity?: QuantityRule | null;
  readonly discount?: Discount | null;
}

/** What a subscription is to from one whole minute on, until its next terms or its end. */
export interface Terms {
  readonly from: Instant;
  readonly plan: string;
  readonly version: number;
  /** From when the phases of the plan's version are counted. */
  readonly phasesFrom: Instant;
  /** What billing periods are counted from: with alignment `customer` the customer's own choice at the time. */
  readonly anchor: AnchorChoice;
  /** Seats by charge. */
  readonly quantities: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, ChargeOverride>>;
  /** How often each add-on is taken. */
  readonly addOns: Readonly<Record<string, string>>;
  /** Nothing is charged, and no usage is. */
  readonly paused: boolean;
}

export const ALIGNMENTS = ['own', 'customer'] as const;
export type Alignment = (typeof ALIGNMENTS)[number];

/**
 * A subscription is its whole history and schedule: terms in order, each in force until the next. What is due when follows from it and
 * from the versions that it names, and from nothing else.
 */
export interface Subscription {
  readonly id: string;
  readonly customer: string;
  readonly currency: string;
  /** IANA name. */
  readonly timezone: string;
  readonly alignment: Alignment;
  readonly seller: string;
  /** A whole minute; the first terms begin with it. */
  readonly startAt: Instant;
  /** Null: it goes on. */
  readonly endAt: Instant | null;
  readonly terms: readonly [Terms, ...Terms[]];
  /** In place of the plan's. */
  readonly spendThreshold: string | null;
}

/** As of a moment; `scheduled` before it starts, `trialing` in a phase that ends and in which nothing can be due. */
export const SUBSCRIPTION_STATES = ['scheduled', 'trialing', 'active', 'paused', 'ended'] as const;
export type SubscriptionState = (typeof SUBSCRIPTION_STATES)[number];
