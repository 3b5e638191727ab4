import { Decimal } from './decimal.ts';
import { MoneyError } from './money-error.ts';
import { partOf, round, type Quotient } from './rounding.ts';

/**
 * An exact quotient, for what no decimal holds: a third of a month, a share of a coupon, what is net of a gross amount. It is rounded once,
 * at the end. In lowest terms, the denominator positive. Worked: 20 days of 30 are 2/3, and 0.015 of that is exactly 0.01.
 */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export const NONE: Fraction = { numerator: 0n, denominator: 1n };
export const WHOLE: Fraction = { numerator: 1n, denominator: 1n };

export const isWhole = ({ numerator, denominator }: Fraction): boolean => numerator === denominator;

/** Throws `MoneyError` (`division_by_zero`). */
export function fraction(numerator: bigint, denominator: bigint): Fraction {
  if (denominator === 0n) throw new MoneyError('division_by_zero', 'nothing can be divided by 0');
  const divisor = greatestDivisor(numerator, denominator);
  const lowest = denominator < 0n ? -divisor : divisor;
  return { numerator: numerator / lowest, denominator: denominator / lowest };
}

/** Of two whole numbers; of 0 and another, the other. Not negative. */
export function greatestDivisor(a: bigint, b: bigint): bigint {
  let [greater, lesser] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (lesser !== 0n) [greater, lesser] = [lesser, greater % lesser];
  return greater;
}

/** A decimal as a fraction. */
export function toFraction(value: Decimal): Fraction {
  const decimals = value.decimalPlaces();
  const digits = BigInt(value.toFixed(decimals).replace('.', ''));
  return fraction(digits, 10n ** BigInt(decimals));
}

/** Throws `MoneyError` (`division_by_zero`). */
export const quotientOf = (dividend: Decimal, divisor: Decimal): Fraction =>
  divideFractions(toFraction(dividend), toFraction(divisor));

export const addFractions = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);

export const subtractFractions = (a: Fraction, b: Fraction): Fraction =>
  addFractions(a, { numerator: -b.numerator, denominator: b.denominator });

export const multiplyFractions = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.numerator * b.numerator, a.denominator * b.denominator);

/** Throws `MoneyError` (`division_by_zero`). */
export const divideFractions = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.numerator * b.denominator, a.denominator * b.numerator);

/** Below 0, 0, or above 0, as `a` is less than, equal to, or greater than `b`. */
export function compareFractions(a: Fraction, b: Fraction): number {
  const [left, right] = [a.numerator * b.denominator, b.numerator * a.denominator];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Of none it is nothing. Lowest terms are looked for once, at the end, wherever neighbours have the same denominator. */
export function sumFractions(all: Iterable<Fraction>): Fraction {
  let { numerator, denominator } = NONE;
  for (const each of all) {
    if (each.denominator === denominator) numerator += each.numerator;
    else ({ numerator, denominator } = addFractions({ numerator, denominator }, each));
  }
  return fraction(numerator, denominator);
}

/** The decimal nearest to a fraction, rounded once. Worked: 2/3 at 2 decimals is 0.67. */
export function roundFraction(
  { numerator, denominator }: Fraction,
  { decimals, rounding }: Quotient,
): Decimal {
  const negative = numerator < 0n;
  const shifted = (negative ? -numerator : numerator) * 10n ** BigInt(decimals);
  const rest = shifted % denominator;
  const whole = new Decimal((shifted / denominator).toString());
  const size =
    rest === 0n ? whole : whole.plus(partOf(rest * 2n < denominator ? -1 : rest * 2n > denominator ? 1 : 0));
  return round(negative ? size.neg() : size, 0, rounding).times(`1e${-decimals}`);
}
