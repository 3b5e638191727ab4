import { Decimal } from '../money/decimal.ts';
import { isWhole, type Fraction } from '../money/fraction.ts';
import { divide } from '../money/rounding.ts';
import { QUANTITY_DECIMALS } from '../metering/quantity.ts';

/**
 * A part of an amount keeps so many decimals. Prices have 30 and a period has fewer than 10^15 microseconds, so what ends at all ends
 * before, and what does not end is further than this from every half: rounding it to a minor unit gives what rounding the exact quotient would.
 */
export const PRORATED_AMOUNT_DECIMALS = 60;

/** The part of an amount that falls to a part of the period. */
export const prorateAmount = (amount: Decimal, fraction: Fraction): Decimal =>
  part(amount, fraction, PRORATED_AMOUNT_DECIMALS);

/** The part of a number of units: free ones, or a tier's. Rounded half away from zero to the decimals that any quantity has. */
export const prorateQuantity = (quantity: Decimal, fraction: Fraction): Decimal =>
  part(quantity, fraction, QUANTITY_DECIMALS);

function part(value: Decimal, fraction: Fraction, decimals: number): Decimal {
  if (isWhole(fraction) || value.isZero()) return value;
  const dividend = value.times(new Decimal(fraction.numerator.toString()));
  return divide(dividend, new Decimal(fraction.denominator.toString()), { decimals, rounding: 'halfUp' });
}
