import { expect } from 'chai';
import fc from 'fast-check';
import {
  COUPON_SHARES,
  applyCoupons,
  type Coupon,
  type CouponShares,
  type OpenLine,
} from '#domain/invoicing/coupon.ts';
import { isoCurrency } from '#domain/money/currency.ts';
import { Decimal } from '#domain/money/decimal.ts';
import {
  NONE,
  compareFractions,
  roundFraction,
  subtractFractions,
  sumFractions,
  toFraction,
  type Fraction,
} from '#domain/money/fraction.ts';
import { isPayable, money, toMoneyText } from '#domain/money/money.ts';
import { amounts, coupons } from './arbitrary-terms.ts';
import { fixed, percentage } from './terms.ts';

const euro = isoCurrency('EUR');
const linesOf = (...open: string[]): OpenLine[] =>
  open.map((amount, at) => ({ id: String(at), open: toFraction(new Decimal(amount)) }));
const shown = (value: Fraction, decimals = 2): string =>
  roundFraction(value, { decimals, rounding: 'halfUp' }).toFixed();

/** What each coupon gives, and its shares. */
const applied = (lines: OpenLine[], given: Coupon<'EUR'>[], shares: CouponShares = 'minorUnits') =>
  applyCoupons(euro, lines, given, shares).map((one) => [
    toMoneyText(one.amount),
    ...one.shares.map((share) => shown(share)),
  ]);

describe('coupons', () => {
  it('are applied one after the other, each to what those before it left', () => {
    expect(applied(linesOf('1'), [fixed(euro, '0.10'), percentage('20')])).to.deep.equal([
      ['0.1', '0.1'],
      ['0.18', '0.18'],
    ]);
    expect(applied(linesOf('1'), [percentage('20'), fixed(euro, '0.10')])).to.deep.equal([
      ['0.2', '0.2'],
      ['0.1', '0.1'],
    ]);
  });

  it('are spread in proportion to what is open, the cents that are left to the largest remainders', () => {
    expect(applied(linesOf('2', '1'), [fixed(euro, '0.12')])).to.deep.equal([['0.12', '0.08', '0.04']]);
    expect(applied(linesOf('1', '1', '1'), [fixed(euro, '0.05')])).to.deep.equal([
      ['0.05', '0.02', '0.02', '0.01'],
    ]);
  });

  it('give no more than there is, than is left of them, or to lines that they are not for', () => {
    expect(applied(linesOf('0.04', '0.02'), [fixed(euro, '0.12')])).to.deep.equal([['0.06', '0.04', '0.02']]);
    expect(
      applied(linesOf('5'), [fixed(euro, '3', { used: '2' }), fixed(euro, '3', { used: '4' })]),
    ).to.deep.equal([
      ['1', '1'],
      ['0', '0'],
    ]);
    expect(
      applied(linesOf('5', '5'), [fixed(euro, '9', { lines: ['1'] }), percentage('50', [])]),
    ).to.deep.equal([
      ['5', '0', '5'],
      ['0', '0', '0'],
    ]);
  });

  it('leave lines below 0 alone, and give no more than what those left of the others', () => {
    expect(applied(linesOf('10', '-4'), [percentage('50'), fixed(euro, '100')])).to.deep.equal([
      ['3', '3', '0'],
      ['3', '3', '0'],
    ]);
    expect(applied(linesOf('3', '-4'), [percentage('50')])).to.deep.equal([['0', '0', '0']]);
  });

  it('keep shares exact where that is asked for, with the same amounts', () => {
    const [one] = applyCoupons(euro, linesOf('10', '20'), [fixed(euro, '10')], 'exact');
    expect(one?.shares).to.deep.equal([
      { numerator: 10n, denominator: 3n },
      { numerator: 20n, denominator: 3n },
    ]);
  });

  it('sum exactly to what they give, and take no line below 0, whatever they are', () => {
    const open = fc.array(amounts(euro, -20n), { maxLength: 12 });
    fc.assert(
      fc.property(open, coupons(euro), fc.constantFrom(...COUPON_SHARES), (all, given, shares) => {
        const left = all.map(({ amount }, at) => ({ id: String(at), open: toFraction(amount) }));
        applyCoupons(euro, left, given, shares).forEach(({ key, amount, shares: parts }, at) => {
          expect(key).to.equal(given[at]?.key);
          expect(isPayable(amount) && !amount.amount.isNegative()).to.equal(true);
          expect(compareFractions(sumFractions(parts), toFraction(amount.amount))).to.equal(0);
          parts.forEach((part, line) => {
            const before = left[line]!.open;
            expect(compareFractions(part, NONE)).to.be.at.least(0);
            if (part.numerator > 0n) expect(compareFractions(part, before)).to.be.at.most(0);
            if (shares === 'minorUnits')
              expect(isPayable(money(euro, new Decimal(shown(part, 30))))).to.equal(true);
            left[line] = { id: String(line), open: subtractFractions(before, part) };
          });
        });
      }),
      { numRuns: 500 },
    );
  });

  it('of all percent leave nothing, in one or in two halves', () => {
    fc.assert(
      fc.property(fc.array(amounts(euro), { minLength: 1, maxLength: 12 }), (all) => {
        const lines = linesOf(...all.map(({ amount }) => amount.toFixed()));
        const whole = sumFractions(lines.map(({ open }) => open));
        for (const given of [[percentage('100')], [percentage('50'), percentage('100')]]) {
          const total = sumFractions(
            applyCoupons(euro, lines, given, 'minorUnits').flatMap(({ shares }) => shares),
          );
          expect(total).to.deep.equal(whole);
        }
      }),
    );
  });
});
