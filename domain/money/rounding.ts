import { Decimal, ZERO, type RoundingMode } from './decimal.ts';
import { MoneyError } from './money-error.ts';

/**
 * The ways to round, by what they do to 2.5, 2.51 and -2.5 at no decimals. `up` and `down` are away from and toward zero, `ceiling`
 * and `floor` toward plus and minus infinity.
 *
 *     halfUp 3 3 -3 (away from zero, the default everywhere)    halfDown 2 3 -2    halfEven 2 3 -2
 *     up 3 3 -3    down 2 2 -2    ceiling 3 3 -2    floor 2 2 -3
 */
export const ROUNDINGS = ['halfUp', 'halfDown', 'halfEven', 'up', 'down', 'ceiling', 'floor'] as const;
export type Rounding = (typeof ROUNDINGS)[number];

const MODES: Readonly<Record<Rounding, RoundingMode>> = {
  halfUp: Decimal.ROUND_HALF_UP,
  halfDown: Decimal.ROUND_HALF_DOWN,
  halfEven: Decimal.ROUND_HALF_EVEN,
  up: Decimal.ROUND_UP,
  down: Decimal.ROUND_DOWN,
  ceiling: Decimal.ROUND_CEIL,
  floor: Decimal.ROUND_FLOOR,
};

/** Rounds to so many decimals; below zero to tens, hundreds and so on. Worked: 1.005 at 2 is 1.01; -0.005 is -0.01; 123 at -1 is 120. */
export function round(value: Decimal, decimals: number, rounding: Rounding = 'halfUp'): Decimal {
  const rounded =
    decimals < 0
      ? value.times(powerOfTen(decimals)).toDecimalPlaces(0, MODES[rounding]).times(powerOfTen(-decimals))
      : value.toDecimalPlaces(decimals, MODES[rounding]);
  return rounded.isZero() ? ZERO : rounded;
}

/** Exact: 10 to a whole power, also below zero. */
export const powerOfTen = (exponent: number): Decimal => new Decimal(`1e${exponent}`);

/** What every division says: how many decimals the quotient keeps, and how it is rounded to them. */
export interface Quotient {
  readonly decimals: number;
  readonly rounding: Rounding;
}

const HALF = new Decimal('0.5');
const BELOW_HALF = new Decimal('0.25');
const ABOVE_HALF = new Decimal('0.75');

/**
 * The quotient, rounded once: the remainder itself says on which side of a half it lies, so no digit that was cut off decides wrongly.
 * Worked: 2 / 3 at 2 decimals is 0.67, and 0.66 rounded `down`. Throws `MoneyError` (`division_by_zero`).
 */
export function divide(dividend: Decimal, divisor: Decimal, { decimals, rounding }: Quotient): Decimal {
  if (divisor.isZero()) throw new MoneyError('division_by_zero', 'nothing can be divided by 0');
  const shifted = dividend.times(powerOfTen(decimals));
  const whole = shifted.divToInt(divisor);
  const rest = shifted.minus(whole.times(divisor)).abs();
  const part = rest.isZero() ? ZERO : partOf(rest.times(2).comparedTo(divisor.abs()));
  const negative = dividend.isNegative() !== divisor.isNegative();
  const quotient = round(negative ? whole.minus(part) : whole.plus(part), 0, rounding);
  return quotient.times(powerOfTen(-decimals));
}

/** Stands for what is cut off a whole number, by how it compares with a half: all that rounding asks of it. */
export const partOf = (comparedToHalf: number): Decimal =>
  comparedToHalf < 0 ? BELOW_HALF : comparedToHalf > 0 ? ABOVE_HALF : HALF;
