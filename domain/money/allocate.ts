import type { Currency } from './currency.ts';
import { Decimal } from './decimal.ts';
import {
  compareFractions,
  greatestDivisor,
  roundFraction,
  sumFractions,
  toFraction,
  type Fraction,
} from './fraction.ts';
import { MoneyError } from './money-error.ts';
import { money, type Money } from './money.ts';
import type { Rounding } from './rounding.ts';

/**
 * Splits an amount by largest remainder: each part is its proportional share cut down to the minor unit, and the minor units that are left
 * go, one each, to the largest remainders; of equal ones the earlier in order is first. The parts always sum to the whole.
 * Worked: 0.05 by 1, 1, 1 is 0.02, 0.02, 0.01; 100 by 1, 2, 3 is 16.67, 33.33, 50. A negative amount splits as the positive one does.
 *
 * Weights are positive and need no common scale. Throws `MoneyError` (`nothing_to_allocate_to`, `weight_not_positive`, `not_in_minor_units`).
 */
export function allocate<C extends string>(
  { currency, amount }: Money<C>,
  weights: readonly (Decimal | Fraction)[],
): Money<C>[] {
  const whole = toMinorUnits(amount, currency.decimals);
  const { numerators } = overOneDenominator(checked(weights));
  const total = numerators.reduce((all, weight) => all + weight, 0n);
  const shares = numerators.map((weight) => (whole < 0n ? -whole : whole) * weight);
  return spread(whole, { numerators: shares, denominator: total }).map((units) =>
    fromMinorUnits(currency, units),
  );
}

/**
 * Rounds the sum of exact parts once, to the minor unit, and the parts so that they sum to it: by largest remainder as `allocate`, but
 * parts may be of either sign. Mirrored parts give mirrored amounts. Worked: 10, 4 and 3.858 are 10, 4 and 3.86, in all 17.86.
 */
export function roundTogether<C extends string>(
  currency: Currency<C>,
  parts: readonly Fraction[],
  rounding: Rounding = 'halfUp',
): { readonly total: Money<C>; readonly parts: Money<C>[] } {
  const sum = sumFractions(parts);
  const total = roundFraction(sum, { decimals: currency.decimals, rounding });
  const sign = compareFractions(sum, { numerator: 0n, denominator: 1n }) < 0 ? -1n : 1n;
  const scale = sign * 10n ** BigInt(currency.decimals);
  const { numerators, denominator } = overOneDenominator(parts);
  const shares = { numerators: numerators.map((numerator) => numerator * scale), denominator };
  const units = spread(toMinorUnits(total, currency.decimals), shares, sign);
  return { total: money(currency, total), parts: units.map((each) => fromMinorUnits(currency, each)) };
}

function checked(weights: readonly (Decimal | Fraction)[]): Fraction[] {
  if (weights.length === 0) throw new MoneyError('nothing_to_allocate_to', 'an amount has to go somewhere');
  const fractions = weights.map((weight) => ('numerator' in weight ? weight : toFraction(weight)));
  const wrong = fractions.flatMap(({ numerator }, index) =>
    numerator > 0n
      ? []
      : [{ pointer: `/weights/${index}`, code: 'weight_not_positive', message: 'must be above 0' }],
  );
  if (wrong.length > 0) throw new MoneyError('weight_not_positive', 'every weight must be above 0', wrong);
  return fractions;
}

/** Exact shares of minor units, over one denominator. */
interface Shares {
  readonly numerators: readonly bigint[];
  readonly denominator: bigint;
}

function overOneDenominator(fractions: readonly Fraction[]): Shares {
  const common = fractions.reduce((multiple, { denominator }) => leastMultiple(multiple, denominator), 1n);
  const numerators = fractions.map(({ numerator, denominator }) => numerator * (common / denominator));
  return { numerators, denominator: common };
}

const leastMultiple = (a: bigint, b: bigint): bigint => (a / greatestDivisor(a, b)) * b;

/**
 * Whole minor units that sum to `whole`, which is the sum of the shares, rounded. Shares are of its absolute value; `sign` is what they
 * were multiplied by, so that amounts below 0 are cut toward 0 like those above.
 */
function spread(whole: bigint, { numerators, denominator }: Shares, sign = whole < 0n ? -1n : 1n): bigint[] {
  const cut = numerators.map((numerator, index) => {
    const remainder = ((numerator % denominator) + denominator) % denominator;
    return { index, remainder, units: (numerator - remainder) / denominator };
  });
  // The remainders sum to what is left, short of the rounding of the whole: no part is given two, and none that was whole is given one.
  const left = Number(whole * sign - cut.reduce((all, { units }) => all + units, 0n));
  const byRemainder = cut.toSorted((a, b) => descending(a.remainder, b.remainder));
  const given = new Set(byRemainder.slice(0, left).map(({ index }) => index));
  return cut.map(({ index, units }) => sign * (given.has(index) ? units + 1n : units));
}

/** Sorting is stable: equal remainders keep the order of their parts. */
const descending = (a: bigint, b: bigint): number => (a > b ? -1 : a < b ? 1 : 0);

function toMinorUnits(amount: Decimal, decimals: number): bigint {
  if (amount.decimalPlaces() > decimals)
    throw new MoneyError('not_in_minor_units', `${amount.toFixed()} has more than ${decimals} decimals`);
  return BigInt(amount.times(`1e${decimals}`).toFixed(0));
}

const fromMinorUnits = <C extends string>(currency: Currency<C>, units: bigint): Money<C> =>
  money(currency, new Decimal(units.toString()).times(`1e-${currency.decimals}`));
