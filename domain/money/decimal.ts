import { Decimal as Unconfigured } from 'decimal.js';
import { MoneyError } from './money-error.ts';

/**
 * Digits that sums and products keep. A number that comes in has at most 60 (below), so a product of eight of them is exact, and so is
 * any sum of such products that a machine can add up.
 */
const EXACT_DIGITS = 500;
/** Texts never show an exponent. */
const NO_EXPONENT = 9e15;

/**
 * The decimals of prices and money. Sums and products are exact. `div`, `pow` and the like are not: divide with `divide`, which names
 * decimals and rounding. Everything that prices or invoices takes `Decimal` from here, since an operation keeps its left side's configuration.
 */
export const Decimal = Unconfigured.clone({
  defaults: true,
  precision: EXACT_DIGITS,
  rounding: Unconfigured.ROUND_HALF_UP,
  toExpNeg: -NO_EXPONENT,
  toExpPos: NO_EXPONENT,
});
export type Decimal = Unconfigured;
/** How decimal.js names a rounding: the numbers 0 to 8. */
export type RoundingMode = Unconfigured.Rounding;

export const ZERO = new Decimal(0);
export const ONE = new Decimal(1);
export const HUNDRED = new Decimal(100);
/** One percent. */
export const PERCENT = new Decimal('0.01');

/** Digits before the point: sums of usage pass the 20 that one value may have. */
export const DECIMAL_INTEGER_DIGITS = 30;
/** Digits after the point, of anything given: a quantity has 18 at most, a fraction of a period may have more. */
export const DECIMAL_DECIMALS = 30;

const PLAIN_DECIMAL = /^-?(\d+)(?:\.(\d+))?$/;
const LEADING_ZEROS = /^0+(?=\d)/;
const TRAILING_ZEROS = /0+$/;
/** Beyond any number within the bounds, zeros included: longer text is not even looked at. */
const TEXT_LENGTH_MAX = 256;

/** Plain decimal text without an exponent, read exactly; or what is wrong with it. */
export function readDecimal(text: string): Decimal | 'not_a_decimal' | 'decimal_out_of_range' {
  if (text.length > TEXT_LENGTH_MAX) return 'decimal_out_of_range';
  const match = PLAIN_DECIMAL.exec(text);
  if (!match) return 'not_a_decimal';
  const [, integer = '', decimals = ''] = match;
  if (integer.length > DECIMAL_INTEGER_DIGITS || decimals.length > DECIMAL_DECIMALS) {
    const significant = decimals.replace(TRAILING_ZEROS, '');
    if (integer.replace(LEADING_ZEROS, '').length > DECIMAL_INTEGER_DIGITS) return 'decimal_out_of_range';
    if (significant.length > DECIMAL_DECIMALS) return 'decimal_out_of_range';
  }
  const value = new Decimal(text);
  // decimal.js knows a negative zero, which no text of ours is.
  return value.isZero() ? ZERO : value;
}

/** Reads plain decimal text, at most 30 digits before and 30 after the point. Throws `MoneyError`. */
export function parseDecimal(text: string): Decimal {
  const value = readDecimal(text);
  if (typeof value !== 'string') return value;
  const message =
    value === 'not_a_decimal'
      ? 'is a decimal such as "1000" or "0.5"'
      : `has at most ${DECIMAL_INTEGER_DIGITS} digits and ${DECIMAL_DECIMALS} decimals`;
  throw new MoneyError(value, message);
}

/** Plain decimal text without trailing zeros, as numbers travel: `-12.5`, `0`, `0.000002`. */
export const toDecimalText = (value: Decimal): string => (value.isZero() ? '0' : value.toFixed());
