import type { BillingPeriod } from '../calendar/billing-period.ts';
import type { TimeWindow } from '../calendar/window.ts';
import type { Instant } from '../instant.ts';
import type { PlanCharge, PlanMinimum } from '../plans/plan-version.ts';
import type { Price } from '../pricing/charge.ts';

/** A part of an item in which nothing changes: one plan version, one price, one number of seats. */
export interface ItemSegment extends TimeWindow {
  readonly plan: string;
  readonly version: number;
  /** In the subscription's currency, with its overrides. */
  readonly charge: PlanCharge;
  /** The one that holds here: the charge's own, or one by date. */
  readonly price: Price;
  /** Of a fee: how many, all add-ons counted. Null: usage, or a flat fee that is due one time over. */
  readonly seats: string | null;
}

/**
 * What is due at once for one charge: its usage of a period that ends, or its fee of one that begins. An item is named by its charge and the
 * moment its period begins, so that it stays the same when a change makes it end earlier: what is due for it is compared with what was billed.
 */
export interface ChargeItem {
  readonly kind: 'usage' | 'fee' | 'once';
  /** `<charge>@<RFC 3339 of its beginning>`: names it among all items that its subscription ever has. */
  readonly id: string;
  readonly charge: string;
  /** Cut to the time in which the charge is due; `period.period` is the whole of which that is a part. */
  readonly period: BillingPeriod;
  /** In order, contiguous but for pauses, within the period; at least one. */
  readonly segments: readonly [ItemSegment, ...ItemSegment[]];
  /** The beginning of the first segment of what is due in advance or once, the end of everything else. */
  readonly dueAt: Instant;
}

/** What a subscription pays at least or at most in a period, or in a part of one, due with the end of the whole or of the subscription. */
export interface BoundItem {
  readonly kind: 'minimum' | 'maximum';
  readonly id: string;
  readonly period: BillingPeriod;
  /** Of the whole period, in the subscription's currency; of a part of it the prorated part counts. */
  readonly amount: string;
  readonly overageFactor: PlanMinimum['overageFactor'];
  readonly dueAt: Instant;
}

export type BillingItem = ChargeItem | BoundItem;
