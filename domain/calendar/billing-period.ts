import { floorToMinute, type Instant } from '../instant.ts';
import { boundaryAt, periodAt, type PeriodRule } from './period.ts';
import type { TimeWindow } from './window.ts';

/** What a subscription is billed for at once: a whole period of its rule, or what is left of one at its start or end. */
export interface BillingPeriod extends TimeWindow {
  /** The period of the rule that it is, or is a part of. */
  readonly period: TimeWindow;
  /** Which of its ends is not the period's own. */
  readonly stub: Stub | null;
}

export const STUBS = ['leading', 'trailing', 'both'] as const;
export type Stub = (typeof STUBS)[number];

/** How long a subscription runs; without an end, for good. */
export interface Term {
  readonly start: Instant;
  readonly end?: Instant | undefined;
}

/**
 * The billing periods of a term, in order: contiguous, covering it exactly, the first and the last cut to it. Start and end are moved
 * down to their minute; a term within one minute has no periods. Lazy, and without an end endless.
 */
export function* billingPeriods(rule: PeriodRule, { start, end }: Term): Generator<BillingPeriod, void> {
  const last = end === undefined ? Infinity : floorToMinute(end);
  let from = floorToMinute(start);
  while (from < last) {
    const period = periodAt(rule, from);
    const to = Math.min(period.to, last);
    yield { from, to, period, stub: stubOf(from > period.from, to < period.to) };
    from = to;
  }
}

function stubOf(isLateStart: boolean, isEarlyEnd: boolean): Stub | null {
  if (isLateStart) return isEarlyEnd ? 'both' : 'leading';
  return isEarlyEnd ? 'trailing' : null;
}

/**
 * A whole period that is counted back from the end of a period, not from the anchor. It differs where months are cut to their last day:
 * back from 28 February, the last day of its month, is 28 January, and the anchor's 31st would be 31 January.
 */
export const periodBefore = (rule: PeriodRule, end: Instant): TimeWindow => ({
  from: boundaryAt({ ...rule, anchor: end }, -1),
  to: end,
});
