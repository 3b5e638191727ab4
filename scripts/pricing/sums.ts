import { Decimal, ONE } from '#domain/money/decimal.ts';
import { divide } from '#domain/money/rounding.ts';

/** A sum as the guide writes it, such as `10 + 2 × 0.05 = 10.1`. */
export interface WrittenSum {
  readonly text: string;
  readonly computed: Decimal;
  readonly written: Decimal;
}

const SUM = /`([\d.,]+(?: [+−×÷] [\d.,]+)+) = ([\d.,]+)`/g;
/** Quotients of the guide end long before. */
const QUOTIENT_DECIMALS = 12;

/** The sums in a text, each computed again: products and quotients first, from the left. */
export const sumsOf = (text: string): WrittenSum[] =>
  [...text.matchAll(SUM)].map(([all, sum = '', result = '']) => ({
    text: all,
    computed: compute(sum),
    written: read(result),
  }));

const read = (number: string): Decimal => new Decimal(number.replaceAll(',', ''));

function compute(sum: string): Decimal {
  const [first = '', ...rest] = sum.split(/ ([+−]) /);
  let total = product(first);
  for (let at = 0; at + 1 < rest.length; at += 2) {
    const term = product(rest[at + 1] ?? '');
    total = rest[at] === '+' ? total.plus(term) : total.minus(term);
  }
  return total;
}

function product(term: string): Decimal {
  const factors = ['×', ...term.split(/ ([×÷]) /)];
  let value = ONE;
  for (let at = 0; at + 1 < factors.length; at += 2) {
    const factor = read(factors[at + 1] ?? '');
    value =
      factors[at] === '×'
        ? value.times(factor)
        : divide(value, factor, { decimals: QUOTIENT_DECIMALS, rounding: 'halfUp' });
  }
  return value;
}
