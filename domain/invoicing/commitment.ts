import type { TimeWindow } from '../calendar/window.ts';
import { ONE, type Decimal } from '../money/decimal.ts';
import { noMoney, greater, prorated, roundMoney, subtract, sum, times, type Money } from '../money/money.ts';
import { WHOLE, type Fraction } from '../money/fraction.ts';
import { missingToMinimum } from './bounds.ts';

/** A promise to spend so much in a period. */
export interface Commitment<C extends string> {
  readonly key: string;
  readonly period: TimeWindow;
  /** For a whole period, in whole minor units. */
  readonly amount: Money<C>;
  /** How much of its whole period this one is; all of it where nothing is said. */
  readonly part?: Fraction | undefined;
  /** What is billed beyond the commitment costs so many times as much; 1 or more, 1 where nothing is said. */
  readonly overageFactor?: Decimal | undefined;
  /** Whether what was not spent is billed too, as it is where nothing is said. */
  readonly trueUp?: boolean | undefined;
}

/** What came of a commitment. `trueUp` and `surcharge` are amounts of lines of their own; one of them is nothing. */
export interface SettledCommitment<C extends string> {
  /** The commitment for the part of the period. */
  readonly committed: Money<C>;
  /** What the lines for that period were billed at. */
  readonly spent: Money<C>;
  /** What is missing to the commitment. */
  readonly trueUp: Money<C>;
  /** What was spent beyond it. */
  readonly overage: Money<C>;
  /** What the overage costs more than it was billed at. */
  readonly surcharge: Money<C>;
}

/**
 * Sets a commitment against the lines of its period. A line counts if all of the period it is for lies in the committed one: what was
 * billed in advance for the next period does not, whenever it was billed.
 * Worked: 100 committed and 6.50 spent trues up by 93.50; with 130 spent and a factor of 1.5 the overage is 30 and its surcharge 15.
 */
export function settleCommitment<C extends string>(
  commitment: Commitment<C>,
  lines: readonly { readonly amount: Money<NoInfer<C>>; readonly period: TimeWindow }[],
): SettledCommitment<C> {
  const { amount, part = WHOLE, overageFactor = ONE, trueUp = true } = commitment;
  const nothing = noMoney(amount.currency);
  const committed = prorated(amount, part);
  const counted = lines.filter(({ period }) => lasts(period, commitment.period));
  const spent = sum(
    amount.currency,
    counted.map((line) => line.amount),
  );
  const overage = greater(nothing, subtract(spent, committed));
  return {
    committed,
    spent,
    trueUp: trueUp ? missingToMinimum(committed, spent) : nothing,
    overage,
    surcharge: roundMoney(times(overage, overageFactor.minus(ONE))),
  };
}

const lasts = (period: TimeWindow, within: TimeWindow): boolean =>
  period.from >= within.from && period.to <= within.to;
