import { expect } from 'chai';
import fc from 'fast-check';
import { settleCommitment, type Commitment } from '#domain/invoicing/commitment.ts';
import { isoCurrency } from '#domain/money/currency.ts';
import { Decimal } from '#domain/money/decimal.ts';
import { fraction } from '#domain/money/fraction.ts';
import {
  add,
  compare,
  isZero,
  noMoney,
  parseMoney,
  roundMoney,
  subtract,
  sum,
  times,
  toMoneyText,
  type Money,
} from '#domain/money/money.ts';
import { amounts } from './arbitrary-terms.ts';
import { PERIOD, periodOf } from './terms.ts';

const euro = isoCurrency('EUR');
const inEuro = (text: string) => parseMoney(euro, text);
const spent = (...all: string[]) => all.map((text) => ({ amount: inEuro(text), period: PERIOD }));
const promise = (text: string, more: Partial<Commitment<'EUR'>> = {}): Commitment<'EUR'> => ({
  key: 'promise',
  period: PERIOD,
  amount: inEuro(text),
  ...more,
});

const settled = (
  commitment: Commitment<'EUR'>,
  lines: { amount: Money<'EUR'>; period: { from: number; to: number } }[],
) => {
  const { committed, spent: counted, trueUp, overage, surcharge } = settleCommitment(commitment, lines);
  return [committed, counted, trueUp, overage, surcharge].map(toMoneyText);
};

describe('a commitment', () => {
  it('is trued up where less was spent, and its overage costs more where more was', () => {
    const factor = { overageFactor: new Decimal('1.5') };
    expect(settled(promise('100', factor), spent('2', '4.50'))).to.deep.equal([
      '100',
      '6.5',
      '93.5',
      '0',
      '0',
    ]);
    expect(settled(promise('100', factor), spent('130'))).to.deep.equal(['100', '130', '0', '30', '15']);
    expect(settled(promise('100'), spent('130'))).to.deep.equal(['100', '130', '0', '30', '0']);
    expect(settled(promise('100', { trueUp: false }), spent('1'))).to.deep.equal(['100', '1', '0', '0', '0']);
  });

  it('is that of its part of a period, rounded once', () => {
    expect(settled(promise('100', { part: fraction(10n, 31n) }), spent('2'))).to.deep.equal([
      '32.26',
      '2',
      '30.26',
      '0',
      '0',
    ]);
  });

  it('counts the lines of its own period only, or of parts of it', () => {
    const [first, next] = [periodOf(20_454, 10), periodOf(20_485, 28)];
    const before = periodOf(20_423);
    const across = { from: first.from, to: next.to };
    const lines = [before, first, next, across].map((period) => ({ amount: inEuro('10'), period }));
    expect(settled(promise('100'), lines)).to.deep.equal(['100', '10', '90', '0', '0']);
  });

  it('is reached exactly: either something is missing or there is an overage, and what is billed is never less than both say', () => {
    const factors = fc.integer({ min: 100, max: 400 }).map((parts) => new Decimal(`${parts}e-2`));
    fc.assert(
      fc.property(amounts(euro), fc.array(amounts(euro)), factors, (amount, all, overageFactor) => {
        const lines = all.map((each) => ({ amount: each, period: PERIOD }));
        const { trueUp, overage, surcharge } = settleCommitment(
          promise('0', { amount, overageFactor }),
          lines,
        );
        const billed = sum(euro, all);
        expect(isZero(trueUp) || isZero(overage)).to.equal(true);
        expect(compare(add(billed, trueUp), amount)).to.be.at.least(0);
        expect(compare(subtract(add(billed, trueUp), overage), amount)).to.equal(0);
        const expected = roundMoney(times(overage, overageFactor.minus(1)));
        expect(toMoneyText(surcharge)).to.equal(toMoneyText(expected));
        expect(compare(surcharge, noMoney(euro))).to.be.at.least(0);
      }),
    );
  });
});
