import { EVALUATED_PERIODS_MAX } from '../limits.ts';
import { toDecimalText } from '../money/decimal.ts';
import { roundFraction } from '../money/fraction.ts';
import { anchorOf } from './anchor.ts';
import { billingPeriods, periodBefore, type BillingPeriod } from './billing-period.ts';
import { checkPeriods, violationOf } from './check-periods.ts';
import { parseDuration } from './duration.ts';
import type { PeriodRule } from './period.ts';
import { PeriodsError, type EvaluatedPeriod, type PeriodsQuestion } from './periods-question.ts';
import { fractionOf, shareOf } from './proration.ts';
import { timeZone } from './time-zone.ts';

const SCALE = 18;

/**
 * The billing periods of a term up to a time, each with the part of a whole period that it is. Throws `PeriodsError` with every violation.
 * Worked: monthly on the 15th, from 1 January until 20 January, by days: 1-15 January is 14/31, and 15 January to 15 February is 1.
 */
export function evaluatePeriods(question: PeriodsQuestion): EvaluatedPeriod[] {
  const violations = checkPeriods(question);
  const every = parseDuration(question.cadence);
  if (violations.length > 0 || !every) throw new PeriodsError(violations);
  const zone = timeZone(question.timezone);
  const rule = { every, zone, anchor: anchorOf(question.anchor, zone, question.start) };
  const periods: EvaluatedPeriod[] = [];
  for (const period of billingPeriods(rule, question)) {
    if (period.from > question.until) break;
    if (periods.length === EVALUATED_PERIODS_MAX) throw tooMany();
    periods.push(evaluated(period, rule, question));
  }
  return periods;
}

function evaluated(
  { from, to, stub, period }: BillingPeriod,
  rule: PeriodRule,
  { proration, scale = SCALE }: PeriodsQuestion,
): EvaluatedPeriod {
  const isCountedBack = proration.leadingStub === 'countedBack' && (stub === 'leading' || stub === 'both');
  const of = isCountedBack ? periodBefore(rule, period.to) : period;
  if (!Number.isSafeInteger(of.from) || !Number.isSafeInteger(period.to)) throw beyondTime();
  const share = shareOf({ from, to }, of, rule.zone, proration);
  const fraction = roundFraction(fractionOf(share), { decimals: scale, rounding: 'halfUp' });
  return { from, to, fraction: toDecimalText(fraction), share, of, stub };
}

const tooMany = (): PeriodsError =>
  new PeriodsError([
    violationOf(
      '/until',
      'too_many_periods',
      `more than ${EVALUATED_PERIODS_MAX} periods begin by then: name an earlier time`,
    ),
  ]);

const beyondTime = (): PeriodsError =>
  new PeriodsError([
    violationOf('/cadence', 'out_of_range', 'a period would reach beyond the years 1685 to 2255'),
  ]);
