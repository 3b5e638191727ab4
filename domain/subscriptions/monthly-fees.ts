import { parseDuration } from '../calendar/duration.ts';
import { timeZone } from '../calendar/time-zone.ts';
import { MICROS_PER_MINUTE, type Instant } from '../instant.ts';
import { chargeSegments } from '../invoicing/charge-segments.ts';
import { anyCurrency } from '../money/currency.ts';
import { Decimal, ZERO } from '../money/decimal.ts';
import { divide } from '../money/rounding.ts';
import { cadenceOf } from '../plans/plan-parts.ts';
import type { PlanCharge } from '../plans/plan-version.ts';
import { prepareCharge } from '../pricing/prepared-charge.ts';
import { rateCharge } from '../pricing/rate-charge.ts';
import { chargesAt, type ChargeInForce } from './charges-in-force.ts';
import type { PlanVersions } from './plan-versions.ts';
import type { Subscription } from './subscription.ts';

/** 400 years of the calendar are 4,800 months: a month is so long on average. */
const SECONDS_PER_MONTH = 2_629_746;
const SECONDS_PER_DAY = 86_400;

/**
 * What a subscription's fees come to in a month as they are at a moment, whatever their cadence: a yearly fee counts for a twelfth. Without usage,
 * which nobody knows yet, and without what is due once. Rounded to the minor unit, each fee by itself.
 */
export function monthlyFees(subscription: Subscription, versions: PlanVersions, at: Instant): Decimal {
  const { decimals } = anyCurrency(subscription.currency);
  return chargesAt(subscription, versions, at)
    .filter(({ kind }) => kind === 'fee')
    .map((fee) => monthlyPart(fee.charge, periodFee(fee, subscription, at, decimals), decimals))
    .reduce((sum, amount) => sum.plus(amount), ZERO);
}

/** For a whole period. */
function periodFee(
  { charge, seats }: ChargeInForce,
  { timezone }: Subscription,
  at: Instant,
  decimals: number,
): Decimal {
  const [segment] = chargeSegments(charge, { from: at, to: at + MICROS_PER_MINUTE }, timeZone(timezone));
  const usage = seats === null ? { quantity: ZERO } : { seats: new Decimal(seats) };
  const { lines } = rateCharge(prepareCharge(charge, segment?.price), { usage, decimals });
  return lines.reduce((sum, { amount }) => sum.plus(amount), ZERO);
}

function monthlyPart(charge: PlanCharge, amount: Decimal, decimals: number): Decimal {
  const every = parseDuration(cadenceOf(charge));
  if (every === undefined) throw new Error(`not a cadence of a checked plan version: ${cadenceOf(charge)}`);
  const { months, days, seconds } = every;
  // Only where a cadence is of whole months is the part of one exact.
  const length = months * SECONDS_PER_MONTH + days * SECONDS_PER_DAY + seconds;
  return divide(amount.times(SECONDS_PER_MONTH), new Decimal(length), { decimals, rounding: 'halfUp' });
}
