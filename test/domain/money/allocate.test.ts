import { expect } from 'chai';
import fc from 'fast-check';
import { allocate, roundTogether } from '#domain/money/allocate.ts';
import { isoCurrency, withCurrency } from '#domain/money/currency.ts';
import { Decimal } from '#domain/money/decimal.ts';
import {
  multiplyFractions,
  quotientOf,
  sumFractions,
  toFraction,
  roundFraction,
  fraction,
} from '#domain/money/fraction.ts';
import { MoneyError } from '#domain/money/money-error.ts';
import {
  compare,
  isPayable,
  money,
  negate,
  noMoney,
  parseMoney,
  prorated,
  roundMoney,
  sum,
  toMoneyText,
} from '#domain/money/money.ts';
import { decimals, fractions, positiveDecimals } from './decimals.ts';

const euro = isoCurrency('EUR');
const split = (whole: string, ...weights: string[]): string[] =>
  allocate(
    parseMoney(euro, whole),
    weights.map((weight) => new Decimal(weight)),
  ).map(toMoneyText);
const payable = decimals(2).map((amount) => roundMoney(money(euro, amount)));
const weights = fc.array(positiveDecimals(), { minLength: 1, maxLength: 30 });
const manyFractions = fc.array(fractions, { maxLength: 20 });

describe('allocation', () => {
  it('gives what is left to the largest remainders, the earlier first', () => {
    expect(split('0.05', '1', '1', '1')).to.deep.equal(['0.02', '0.02', '0.01']);
    expect(split('-0.05', '1', '1', '1')).to.deep.equal(['-0.02', '-0.02', '-0.01']);
    expect(split('100', '1', '2', '3')).to.deep.equal(['16.67', '33.33', '50']);
    expect(split('0.01', '1', '3')).to.deep.equal(['0', '0.01']);
    expect(split('0', '1', '3')).to.deep.equal(['0', '0']);
  });

  it('in parts that sum to the whole, each within a minor unit of its exact share', () => {
    fc.assert(
      fc.property(payable, weights, (whole, shares) => {
        const parts = allocate(whole, shares);
        expect(compare(sum(euro, parts), whole)).to.equal(0);
        const total = shares.reduce((all, weight) => all.plus(weight));
        parts.forEach((part, at) => {
          expect(isPayable(part)).to.equal(true);
          const exact = multiplyFractions(toFraction(whole.amount), quotientOf(shares[at]!, total));
          const cut = roundFraction(exact, { decimals: 2, rounding: 'down' });
          expect(part.amount.minus(cut).abs().lessThanOrEqualTo('0.01')).to.equal(true);
        });
      }),
    );
  });

  it('is alike for weights of any scale, and mirrored for the negative amount', () => {
    fc.assert(
      fc.property(payable, weights, positiveDecimals(), (whole, shares, scale) => {
        const texts = allocate(whole, shares).map(toMoneyText);
        const scaled = shares.map((weight) => weight.times(scale));
        expect(allocate(whole, scaled).map(toMoneyText)).to.deep.equal(texts);
        expect(allocate(negate(whole), shares).map((part) => toMoneyText(negate(part)))).to.deep.equal(texts);
      }),
    );
  });

  it('works in whole minor units of each currency', () => {
    const inYen = withCurrency('JPY', (yen) =>
      allocate(
        parseMoney(yen, '5'),
        [1, 1, 1].map((weight) => new Decimal(weight)),
      ).map(toMoneyText),
    );
    expect(inYen).to.deep.equal(['2', '2', '1']);
  });

  it('refuses what has no right answer, with every fault', () => {
    const refused = (whole: string, ...shares: string[]): unknown[] => {
      try {
        return split(whole, ...shares);
      } catch (error) {
        if (!(error instanceof MoneyError)) throw error;
        return [error.code, ...error.violations.map(({ pointer }) => pointer)];
      }
    };
    expect(refused('1')).to.deep.equal(['nothing_to_allocate_to']);
    expect(refused('1', '0')).to.deep.equal(['weight_not_positive', '/weights/0']);
    expect(refused('1', '-1', '1', '0')).to.deep.equal(['weight_not_positive', '/weights/0', '/weights/2']);
    expect(refused('0.001', '1')).to.deep.equal(['not_in_minor_units']);
  });
});

describe('rounding together', () => {
  const rounded = (parts: Parameters<typeof roundTogether>[1]) => roundTogether(euro, parts);

  it('rounds the sum once and the parts so that they sum to it', () => {
    const { total, parts } = rounded(['10', '4', '0', '3.858'].map((text) => toFraction(new Decimal(text))));
    expect(toMoneyText(total)).to.equal('17.86');
    expect(parts.map(toMoneyText)).to.deep.equal(['10', '4', '0', '3.86']);
  });

  it('holds for parts of either sign, each within a minor unit of what it is exactly', () => {
    fc.assert(
      fc.property(manyFractions, (exact) => {
        const { total, parts } = rounded(exact);
        expect(compare(sum(euro, parts), total)).to.equal(0);
        expect(compare(total, prorated(money(euro, new Decimal(1)), sumFractions(exact)))).to.equal(0);
        parts.forEach((part, at) => {
          const bounds = (['floor', 'ceiling'] as const).map((rounding) =>
            roundFraction(exact[at]!, { decimals: 2, rounding }).toFixed(),
          );
          expect(bounds).to.include(part.amount.toFixed());
        });
      }),
    );
  });

  it('gives mirrored amounts for mirrored parts, so that a correction takes back what was charged', () => {
    fc.assert(
      fc.property(manyFractions, (exact) => {
        const mirrored = exact.map(({ numerator, denominator }) => fraction(-numerator, denominator));
        // A sum of 0 has no sign that could be mirrored.
        fc.pre(sumFractions(exact).numerator !== 0n);
        expect(rounded(mirrored).parts.map((part) => toMoneyText(negate(part)))).to.deep.equal(
          rounded(exact).parts.map(toMoneyText),
        );
      }),
    );
  });

  it('of nothing is nothing', () => {
    expect(rounded([])).to.deep.equal({ total: noMoney(euro), parts: [] });
  });
});
