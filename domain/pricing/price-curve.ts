import { PRICE_CURVE_POINTS_MAX, TIERS_PER_PRICE_MAX } from '../limits.ts';
import { anyCurrency } from '../money/currency.ts';
import { Decimal, ZERO, toDecimalText } from '../money/decimal.ts';
import { QUANTITY_DECIMALS } from '../metering/quantity.ts';
import { divide } from '../money/rounding.ts';
import type { Violation } from '../violation.ts';
import type { Charge } from './charge.ts';
import { checkCharge, checkDate } from './check-charge.ts';
import { checkNumber, checkOptional, numberOf, violation } from './check-number.ts';
import { checkCurrency, priceAt } from './evaluate-price.ts';
import { prepareCharge, type PreparedCharge } from './prepared-charge.ts';
import { PricingError } from './pricing-error.ts';
import { rateCharge } from './rate-charge.ts';

export interface CurveQuestion {
  readonly currency: string;
  readonly charge: Charge;
  /** Measured quantities between which the curve is drawn, 0 without a first. */
  readonly from?: string | undefined;
  readonly to: string;
  /** Steps between them; where the curve bends there are points besides. */
  readonly steps?: number | undefined;
  /** The local date whose price is asked for, of a charge with prices by date. */
  readonly date?: string | undefined;
}

export interface CurvePoint {
  readonly quantity: string;
  /** Exact, so that small prices make no stairs that are not there. */
  readonly amount: string;
  /** What one unit comes to, rounded to 18 decimals; null where there is none. */
  readonly average: string | null;
}

export interface PriceCurve {
  readonly currency: string;
  /** By quantity. Where the curve jumps there is a point on both sides. */
  readonly points: readonly CurvePoint[];
}

export const CURVE_STEPS_DEFAULT = 100;
/** The least quantity that is not 0: just after a bound. */
const JUST_AFTER = new Decimal(`1e-${QUANTITY_DECIMALS}`);

/**
 * What a whole period comes to for growing usage, as points for a picture: at even steps, and at and just after each bound of a tier or
 * package. In small steps, so that whoever serves others too may pause between them. Throws `PricingError` (`invalid_query`) with every fault.
 */
export function* curveSteps(question: CurveQuestion): Generator<void, PriceCurve> {
  const faults = checkCurve(question);
  if (faults.length > 0) throw new PricingError('invalid_query', faults);
  const charge = prepareCharge(question.charge, priceAt(question.charge, question.date));
  if (!hasCurve(charge)) throw new PricingError('invalid_query', [noCurve(charge)]);
  const { decimals } = anyCurrency(question.currency);
  const points: CurvePoint[] = [];
  for (const quantity of quantitiesOf(charge, question)) {
    yield;
    points.push(pointAt(charge, quantity, decimals));
  }
  return { currency: question.currency, points };
}

/** The same at once. Worked: 2 each from 0 to 10 in one step has the points (0, 0) and (10, 20). */
export function priceCurve(question: CurveQuestion): PriceCurve {
  const steps = curveSteps(question);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** A quantity alone must be enough to know. */
const hasCurve = ({ model }: PreparedCharge): boolean =>
  model.input === 'quantity' || (model.input === 'events' && model.linear);

const noCurve = ({ model }: PreparedCharge): Violation =>
  violation(
    '/charge/price',
    'no_curve',
    `a price of model ${model.model} needs ${model.input}, so it has no curve over a quantity`,
  );

function pointAt(charge: PreparedCharge, quantity: Decimal, decimals: number): CurvePoint {
  const { amount } = rateCharge(charge, { usage: { quantity }, decimals, rounding: 'none' });
  return {
    quantity: toDecimalText(quantity),
    amount: toDecimalText(amount),
    average: quantity.isZero() ? null : toDecimalText(averageOf(amount, quantity)),
  };
}

const averageOf = (amount: Decimal, quantity: Decimal): Decimal =>
  divide(amount, quantity, { decimals: QUANTITY_DECIMALS, rounding: 'halfUp' });

function quantitiesOf(charge: PreparedCharge, question: CurveQuestion): readonly Decimal[] {
  const { from: start = '0', to: end, steps = CURVE_STEPS_DEFAULT } = question;
  const [from, to] = [new Decimal(start), new Decimal(end)];
  const even = Array.from({ length: steps }, (_, step) => from.plus(partOf(to.minus(from), step, steps)));
  const bends = bendsOf(charge, to).flatMap((bend) => [bend, bend.plus(JUST_AFTER)]);
  const all = [...even, to, ...bends.filter((bend) => bend.gt(from) && bend.lt(to))];
  return all
    .sort((a, b) => a.comparedTo(b))
    .filter((each, index) => index === 0 || !each.eq(all[index - 1] ?? ZERO));
}

const partOf = (length: Decimal, step: number, steps: number): Decimal =>
  divide(length.times(step), new Decimal(steps), { decimals: QUANTITY_DECIMALS, rounding: 'down' });

/** In measured units: the bounds of tiers after the free units, and the end of these. */
function bendsOf({ model, quantity }: PreparedCharge, to: Decimal): readonly Decimal[] {
  const { free, convert, invert } = quantity;
  const units = (convert ? convert(to) : to).minus(free);
  const bends = units.isNegative() ? [] : model.bends(units, TIERS_PER_PRICE_MAX);
  return [ZERO, ...bends].map((bend) => invert(bend.plus(free)));
}

function checkCurve(question: CurveQuestion): Violation[] {
  const { currency, charge, from, to, steps = CURVE_STEPS_DEFAULT, date } = question;
  const [start, end] = [numberOf(from) ?? ZERO, numberOf(to)];
  return [
    ...checkCurrency(currency),
    ...checkCharge(charge).map((fault) => ({ ...fault, pointer: `/charge${fault.pointer}` })),
    ...checkOptional('/from', from),
    ...checkNumber('/to', to, 'positive'),
    ...(end?.lte(start) ? [violation('/to', 'range_empty', 'must be above from')] : []),
    ...(Number.isInteger(steps) && steps >= 1 && steps <= PRICE_CURVE_POINTS_MAX
      ? []
      : [violation('/steps', 'out_of_range', `must be a whole number from 1 to ${PRICE_CURVE_POINTS_MAX}`)]),
    ...(date === undefined ? [] : checkDate('/date', date)),
  ];
}
