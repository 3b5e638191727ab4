import { expect } from 'chai';
import fc from 'fast-check';
import { Decimal, toDecimalText } from '#domain/money/decimal.ts';
import {
  NONE,
  WHOLE,
  addFractions,
  compareFractions,
  divideFractions,
  fraction,
  multiplyFractions,
  quotientOf,
  roundFraction,
  subtractFractions,
  toFraction,
} from '#domain/money/fraction.ts';
import { MoneyError } from '#domain/money/money-error.ts';
import { ROUNDINGS, divide } from '#domain/money/rounding.ts';
import { decimals, fractions } from './decimals.ts';

describe('a fraction', () => {
  it('is in lowest terms with the sign above, so equal ones are equal', () => {
    expect(fraction(-6n, -9n)).to.deep.equal({ numerator: 2n, denominator: 3n });
    expect(fraction(6n, -9n)).to.deep.equal({ numerator: -2n, denominator: 3n });
    expect(fraction(0n, -7n)).to.deep.equal(NONE);
    expect(toFraction(new Decimal('-0.50'))).to.deep.equal({ numerator: -1n, denominator: 2n });
    expect(toFraction(new Decimal('1200'))).to.deep.equal({ numerator: 1200n, denominator: 1n });
  });

  it('loses nothing: what is taken away, added, divided and multiplied comes back', () => {
    fc.assert(
      fc.property(fractions, fractions, (a, b) => {
        expect(addFractions(subtractFractions(a, b), b)).to.deep.equal(a);
        expect(addFractions(a, b)).to.deep.equal(addFractions(b, a));
        expect(compareFractions(a, b)).to.equal(-compareFractions(b, a) || 0);
        fc.pre(b.numerator !== 0n);
        expect(multiplyFractions(divideFractions(a, b), b)).to.deep.equal(a);
        expect(divideFractions(b, b)).to.deep.equal(WHOLE);
      }),
    );
  });

  it('rounds as division does', () => {
    fc.assert(
      fc.property(
        decimals(),
        decimals(),
        fc.nat({ max: 8 }),
        fc.constantFrom(...ROUNDINGS),
        (a, b, kept, rounding) => {
          fc.pre(!b.isZero());
          const quotient = { decimals: kept, rounding };
          expect(toDecimalText(roundFraction(quotientOf(a, b), quotient))).to.equal(
            toDecimalText(divide(a, b, quotient)),
          );
        },
      ),
    );
  });

  it('of nothing is an error with a name', () => {
    for (const wrong of [() => fraction(1n, 0n), () => divideFractions(WHOLE, NONE)])
      expect(wrong).to.throw(MoneyError).with.property('code', 'division_by_zero');
  });
});
