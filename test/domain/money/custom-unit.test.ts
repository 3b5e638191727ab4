import { expect } from 'chai';
import { checkCustomUnit, costOf, unitsFor, withCustomUnit } from '#domain/money/custom-unit.ts';
import { MoneyError } from '#domain/money/money-error.ts';
import { add, parseMoney, toMoneyText } from '#domain/money/money.ts';

const credits = { key: 'credits', decimals: 4, cost: { currency: 'USD', amount: '0.015' } };

describe('a custom unit', () => {
  it('is a currency of its own that costs an exact amount of another', () => {
    const cost = withCustomUnit(credits, (unit) => {
      const { currency, ...exact } = costOf(unit, parseMoney(unit.currency, '250.0001'));
      return [currency.code, toMoneyText({ currency, ...exact })];
    });
    expect(cost).to.deep.equal(['USD', '3.7500015']);
  });

  it('is bought in one rounding that is said', () => {
    const bought = withCustomUnit(credits, (unit) => {
      const quotient = { decimals: unit.currency.decimals, rounding: 'down' } as const;
      return toMoneyText(unitsFor(unit, parseMoney(unit.cost.currency, '10'), quotient));
    });
    expect(bought).to.equal('666.6666');
  });

  it('does not type-check together with what it costs', () => {
    const mixed = () =>
      withCustomUnit(credits, (unit) =>
        // @ts-expect-error -- credits and dollars
        toMoneyText(add(parseMoney(unit.currency, '1'), unit.cost)),
      );
    expect(mixed).to.throw(MoneyError).with.property('code', 'currency_mismatch');
  });

  it('is refused with every fault at once', () => {
    const wrong = { key: 'USD', decimals: 40, cost: { currency: 'credits', amount: '0' } };
    expect(checkCustomUnit(wrong).map(({ pointer, code }) => [pointer, code])).to.deep.equal([
      ['/key', 'invalid_key'],
      ['/decimals', 'invalid_decimals'],
      ['/cost/currency', 'unknown_currency'],
      ['/cost/amount', 'cost_not_positive'],
    ]);
    expect(() => withCustomUnit(wrong, () => undefined))
      .to.throw(MoneyError)
      .with.property('code', 'invalid_unit');
  });
});
