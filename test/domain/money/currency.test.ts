import { expect } from 'chai';
import {
  anyCurrency,
  currencyWithDecimals,
  isIsoCurrency,
  isoCurrency,
  withCurrency,
} from '#domain/money/currency.ts';
import { Decimal } from '#domain/money/decimal.ts';
import { ISO_4217_DECIMALS } from '#domain/money/iso-4217.ts';
import { MoneyError } from '#domain/money/money-error.ts';
import {
  add,
  compare,
  money,
  parseMoney,
  subtract,
  sum,
  toMoneyText,
  type AnyMoney,
  type Money,
} from '#domain/money/money.ts';

const euro = isoCurrency('EUR');
const dollar = isoCurrency('USD');
const one = new Decimal(1);

describe('the table of currencies', () => {
  it('has the minor units of ISO 4217, also where other tables differ', () => {
    const decimals = Object.fromEntries(
      ['JPY', 'BHD', 'HUF', 'ISK', 'UGX', 'CLF', 'EUR', 'IQD', 'MRU', 'KRW', 'TND'].map((code) => [
        code,
        anyCurrency(code).decimals,
      ]),
    );
    expect(decimals).to.deep.equal({
      JPY: 0,
      BHD: 3,
      HUF: 2,
      ISK: 0,
      UGX: 0,
      CLF: 4,
      EUR: 2,
      IQD: 3,
      MRU: 2,
      KRW: 0,
      TND: 3,
    });
  });

  it('names every code once, and none that has no minor unit or was withdrawn', () => {
    expect(ISO_4217_DECIMALS.size).to.equal(17 + 139 + 7 + 2);
    for (const code of ISO_4217_DECIMALS.keys()) expect(code).to.match(/^[A-Z]{3}$/);
    const noCurrency = 'X'.repeat(3);
    for (const code of ['XAU', 'XDR', 'XTS', noCurrency, 'HRK', 'BGN', 'ANG', 'eur', ''])
      expect(isIsoCurrency(code), code).to.equal(false);
    expect(() => anyCurrency('eur'))
      .to.throw(MoneyError)
      .with.property('code', 'unknown_currency');
  });
});

describe('amounts of two currencies', () => {
  it('do not type-check together, whichever way their currencies are known', () => {
    // Each line below compiles only because its error is expected: were one to type-check, the compiler would refuse this file.
    const mixed = (): unknown[] => [
      // @ts-expect-error -- two literal currencies
      add(money(euro, one), money(dollar, one)),
      // @ts-expect-error -- the other way round
      subtract(money(dollar, one), money(euro, one)),
      // @ts-expect-error -- an order of two currencies says nothing
      compare(money(euro, one), money(dollar, one)),
      // @ts-expect-error -- one among many
      sum(euro, [money(euro, one), money(dollar, one)]),
      // @ts-expect-error -- an amount does not widen into one of any currency that can be added
      money(euro, one) satisfies Money<string>,
      // @ts-expect-error -- a code that only the data know is no type
      isoCurrency('EUR' as string),
      // @ts-expect-error -- nor is a choice of two
      isoCurrency('EUR' as 'EUR' | 'USD'),
      withCurrency('EUR', (outer) =>
        // @ts-expect-error -- a currency from outside is no other one from outside
        withCurrency('USD', (inner) => toMoneyText(add(money(outer, one), money(inner, one)))),
      ),
      // @ts-expect-error -- nor one that the code names
      withCurrency('EUR', (outer) => toMoneyText(add(money(outer, one), money(euro, one)))),
      // @ts-expect-error -- what can only be shown cannot be added
      add({ currency: anyCurrency('EUR'), amount: one } as AnyMoney, money(euro, one)),
      // @ts-expect-error -- and makes no amount that can
      money(anyCurrency('EUR'), one),
    ];
    expect(mixed).to.throw(MoneyError).with.property('code', 'currency_mismatch');
  });

  it('are refused at run time where a wrong type got past the compiler', () => {
    const disguised = money(dollar, one) as unknown as Money<'EUR'>;
    for (const mix of [
      () => add(money(euro, one), disguised),
      () => sum(euro, [disguised]),
      () => compare(disguised, money(euro, one)),
    ])
      expect(mix).to.throw(MoneyError).with.property('code', 'currency_mismatch');
  });

  it('of one currency that only the data know do', () => {
    const total = withCurrency('JPY', (currency) =>
      toMoneyText(add(parseMoney(currency, '100'), parseMoney(currency, '20'))),
    );
    expect(total).to.equal('120');
  });
});

describe('a currency with decimals of our choosing', () => {
  it('has a whole number of them within the limit', () => {
    expect(currencyWithDecimals('credits', 4)).to.deep.equal({ code: 'credits', decimals: 4 });
    for (const decimals of [-1, 1.5, 19, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => currencyWithDecimals('credits', decimals))
        .to.throw(MoneyError)
        .with.property('code', 'invalid_unit');
  });
});
