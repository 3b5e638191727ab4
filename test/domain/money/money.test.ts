import { expect } from 'chai';
import fc from 'fast-check';
import { isoCurrency, withCurrency } from '#domain/money/currency.ts';
import { Decimal } from '#domain/money/decimal.ts';
import { fraction } from '#domain/money/fraction.ts';
import {
  add,
  compare,
  dividedBy,
  greater,
  isPayable,
  lesser,
  money,
  negate,
  noMoney,
  parseMoney,
  prorated,
  roundMoney,
  subtract,
  sum,
  times,
  toFullText,
  toMoneyText,
} from '#domain/money/money.ts';
import { decimals } from './decimals.ts';

const euro = isoCurrency('EUR');
const inEuro = (text: string) => parseMoney(euro, text);
const amounts = decimals().map((amount) => money(euro, amount));

describe('money', () => {
  it('is exact until it is rounded, and rounded to the minor unit of its currency', () => {
    const rounded = (code: string, text: string): string =>
      withCurrency(code, (currency) => toMoneyText(roundMoney(parseMoney(currency, text))));
    expect(rounded('EUR', '10.005')).to.equal('10.01');
    expect(rounded('JPY', '-0.5')).to.equal('-1');
    expect(rounded('BHD', '1.0005')).to.equal('1.001');
    expect(toMoneyText(roundMoney(inEuro('0.125'), 'halfEven'))).to.equal('0.12');
    expect(toMoneyText(times(inEuro('0.000002'), new Decimal('1234567')))).to.equal('2.469134');
    expect(toMoneyText(dividedBy(inEuro('10'), new Decimal(3), { decimals: 4, rounding: 'up' }))).to.equal(
      '3.3334',
    );
  });

  it('is prorated in one rounding, so a tie that no decimal fraction meets is met', () => {
    expect(toMoneyText(prorated(inEuro('0.015'), fraction(1n, 3n)))).to.equal('0.01');
    expect(toMoneyText(prorated(inEuro('0.015'), fraction(1n, 3n), 'halfDown'))).to.equal('0');
    expect(toMoneyText(prorated(inEuro('50'), fraction(3n, 28n)))).to.equal('5.36');
  });

  it('travels without trailing zeros and is shown with the minor unit, never with a negative zero', () => {
    expect([inEuro('12.50'), inEuro('-0.00'), negate(noMoney(euro))].map(toMoneyText)).to.deep.equal([
      '12.5',
      '0',
      '0',
    ]);
    expect([inEuro('12.5'), inEuro('0.000002'), inEuro('-0')].map(toFullText)).to.deep.equal([
      '12.50',
      '0.000002',
      '0.00',
    ]);
    expect(withCurrency('JPY', (yen) => toFullText(parseMoney(yen, '1200')))).to.equal('1200');
  });

  it('can be paid when it has no decimals beyond the minor unit', () => {
    expect([inEuro('0.01'), inEuro('0.010'), inEuro('0.001')].map(isPayable)).to.deep.equal([
      true,
      true,
      false,
    ]);
  });

  it('adds up alike in any order, and a sum of rounded amounts is itself rounded', () => {
    fc.assert(
      fc.property(fc.array(amounts), (all) => {
        const total = sum(euro, all);
        expect(compare(total, sum(euro, all.toReversed()))).to.equal(0);
        expect(
          compare(
            total,
            all.reduce((a, b) => add(a, b), noMoney(euro)),
          ),
        ).to.equal(0);
        expect(
          isPayable(
            sum(
              euro,
              all.map((each) => roundMoney(each)),
            ),
          ),
        ).to.equal(true);
      }),
    );
  });

  it('takes away what it added, and orders as its amounts do', () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        expect(compare(subtract(add(a, b), b), a)).to.equal(0);
        expect(compare(add(a, negate(a)), noMoney(euro))).to.equal(0);
        expect(compare(lesser(a, b), greater(a, b))).to.be.at.most(0);
        expect(compare(add(lesser(a, b), greater(a, b)), add(a, b))).to.equal(0);
      }),
    );
  });

  it('rounds to within half a minor unit', () => {
    fc.assert(
      fc.property(decimals(), fc.constantFrom('JPY', 'EUR', 'BHD', 'CLF'), (amount, code) =>
        withCurrency(code, (currency) => {
          const error = roundMoney(money(currency, amount)).amount.minus(amount).abs();
          expect(error.times(2).lessThanOrEqualTo(`1e-${currency.decimals}`)).to.equal(true);
        }),
      ),
    );
  });
});
