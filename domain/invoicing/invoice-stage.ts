import type { TimeWindow } from '../calendar/window.ts';
import type { WorkingStage } from '../pricing/working.ts';

/** How a line of an invoice came about: as its charge was rated, or by what an invoice does beyond that. */
export type InvoiceStage =
  WorkingStage | BilledStage | StillDueStage | PlanMinimumStage | PlanOverageStage | PlanMaximumStage;

/** What lines of one earlier invoice came to: it is taken off. */
export interface BilledStage {
  readonly stage: 'billed';
  /** Its id. */
  readonly invoice: string;
  readonly amount: string;
}

/** A part of what was billed that is due all the same, so that only the rest is given back: computed as its own working says. */
export interface StillDueStage {
  readonly stage: 'stillDue';
  readonly period: TimeWindow;
  readonly amount: string;
  readonly working: readonly WorkingStage[];
}

interface OfPlanBound {
  /** Of a whole period, and the part of one that it is for, such as `10/31`. */
  readonly amount: string;
  readonly fraction: string;
  /** What lines in the period come to, those of earlier invoices among them. */
  readonly spent: string;
}

/** `missing` is `minimum` - `spent`. */
export interface PlanMinimumStage extends OfPlanBound {
  readonly stage: 'planMinimum';
  /** Of the part of the period, rounded. */
  readonly minimum: string;
  readonly missing: string;
}

/** `surcharge` is (`spent` - `minimum`) times (`factor` - 1), rounded. */
export interface PlanOverageStage extends OfPlanBound {
  readonly stage: 'planOverage';
  readonly minimum: string;
  readonly factor: string;
  readonly surcharge: string;
}

/** `over` is `spent` - `maximum`; this line takes off `part` of it, in proportion to what is taxed alike. */
export interface PlanMaximumStage extends OfPlanBound {
  readonly stage: 'planMaximum';
  readonly maximum: string;
  readonly over: string;
  readonly part: string;
}
