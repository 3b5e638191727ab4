import { expect } from 'chai';
import fc from 'fast-check';
import { checkTaxRates, ratesInForce, taxText, type TaxRate } from '#domain/invoicing/tax-rate.ts';
import { PRICES, taxesOf, type Prices, type TaxableLine, type Tax } from '#domain/invoicing/tax.ts';
import { isoCurrency, withCurrency } from '#domain/money/currency.ts';
import { Decimal } from '#domain/money/decimal.ts';
import { toFraction } from '#domain/money/fraction.ts';
import { subtract, sum, toMoneyText, type Money } from '#domain/money/money.ts';
import { divide, round } from '#domain/money/rounding.ts';
import { amounts } from './arbitrary-terms.ts';
import { vat } from './terms.ts';

const euro = isoCurrency('EUR');
const line = (open: string, ...taxRates: TaxRate[]): TaxableLine => ({
  open: toFraction(new Decimal(open)),
  taxRates,
});
const city = (rate: string): TaxRate => ({ ...vat(rate), code: 'city' });

const shown = (all: readonly Tax<'EUR'>[]): string[] =>
  all.map(
    ({ code, rate, base, amount }) =>
      `${code} ${rate.toFixed()} of ${toMoneyText(base)}: ${toMoneyText(amount)}`,
  );
const taxed = (lines: TaxableLine[], prices: Prices = 'exclusive') => {
  const { lines: each, breakdown } = taxesOf(euro, lines, prices);
  return { lines: each.map(shown), breakdown: shown(breakdown) };
};

describe('tax', () => {
  it('comes on top of a net amount, or is what is left over the net of a gross one', () => {
    expect(taxed([line('10', vat('19'))]).lines).to.deep.equal([['vat 19 of 10: 1.9']]);
    expect(taxed([line('10', vat('19'))], 'inclusive').lines).to.deep.equal([['vat 19 of 8.4: 1.6']]);
    // 0.21 / 1.2 is 0.175: the net is rounded away from zero, so the tax is 0.03.
    expect(taxed([line('0.21', vat('20'))], 'inclusive').lines).to.deep.equal([['vat 20 of 0.18: 0.03']]);
  });

  it('is rounded once for all lines of a rate, and spread by largest remainder', () => {
    // Three times 0.0175: each by itself would be 0.02, together they are 0.0525.
    const { lines, breakdown } = taxed(['0.25', '0.25', '0.25'].map((open) => line(open, vat('7'))));
    expect(breakdown).to.deep.equal(['vat 7 of 0.75: 0.05']);
    expect(lines.map(([text]) => text)).to.deep.equal([
      'vat 7 of 0.25: 0.02',
      'vat 7 of 0.25: 0.02',
      'vat 7 of 0.25: 0.01',
    ]);
  });

  it('of several rates is due on the same amount, and each is told apart by code, jurisdiction and rate', () => {
    expect(taxed([line('100', vat('20'), city('10')), line('50', vat('10'))]).breakdown).to.deep.equal([
      'vat 20 of 100: 20',
      'city 10 of 100: 10',
      'vat 10 of 50: 5',
    ]);
    expect(taxed([line('130', vat('20'), city('10'))], 'inclusive').breakdown).to.deep.equal([
      'vat 20 of 100: 20',
      'city 10 of 100: 10',
    ]);
  });

  it('is nothing where it is exempt, with its reason on the document, and is not spoken of where a line has no rate', () => {
    const exempt = vat('0', 'reverse_charge');
    const { lines, breakdown } = taxesOf(euro, [line('100', exempt), line('5')], 'exclusive');
    expect(shown(breakdown)).to.deep.equal(['vat 0 of 100: 0']);
    expect(breakdown[0]?.exemption).to.equal('reverse_charge');
    expect(lines[1]).to.deep.equal([]);
  });

  it('of each rate is that of all its lines together, rounded once, and lines sum to it, in any currency', () => {
    const rates = fc.subarray(['0', '5', '7.25', '19', '20'].map((rate) => vat(rate)));
    for (const code of ['EUR', 'JPY', 'BHD'])
      withCurrency(code, (currency) =>
        fc.assert(
          fc.property(fc.array(fc.tuple(amounts(currency, -20n), rates), { maxLength: 12 }), (all) => {
            const lines = all.map(([{ amount }, taxRates]) => ({ open: toFraction(amount), taxRates }));
            const found = taxesOf(currency, lines, 'exclusive');
            for (const tax of found.breakdown) {
              const bearing = all.filter(([, taxRates]) =>
                taxRates.some((rate) => taxText(rate) === taxText(tax)),
              );
              const base = bearing.reduce((total, [{ amount }]) => total.plus(amount), new Decimal(0));
              expect(toMoneyText(tax.base)).to.equal(base.toFixed());
              const exact = base.times(tax.rate).times('0.01');
              expect(toMoneyText(tax.amount)).to.equal(round(exact, currency.decimals).toFixed());
              const onLines = found.lines.flat().filter((each) => taxText(each) === taxText(tax));
              const spread = sum(
                currency,
                onLines.map(({ amount }) => amount),
              );
              expect(toMoneyText(spread)).to.equal(toMoneyText(tax.amount));
            }
          }),
          { numRuns: 150 },
        ),
      );
  });

  it('that is in the price leaves net = gross / (1 + rate), rounded once over the lines of an invoice of one rate', () => {
    const rates = fc.constantFrom('5', '7', '19', '20', '23.5');
    fc.assert(
      fc.property(fc.array(amounts(euro, -20n), { minLength: 1, maxLength: 12 }), rates, (all, text) => {
        const rate = vat(text);
        const lines = all.map(({ amount }) => ({ open: toFraction(amount), taxRates: [rate] }));
        const [tax] = taxesOf(euro, lines, 'inclusive').breakdown;
        const gross: Money<'EUR'> = sum(euro, all);
        const net = divide(gross.amount, rate.rate.times('0.01').plus(1), {
          decimals: 2,
          rounding: 'halfUp',
        });
        expect(toMoneyText(subtract(gross, tax!.amount))).to.equal(net.toFixed());
        expect(toMoneyText(tax!.base)).to.equal(net.toFixed());
      }),
    );
  });

  it('of lines that bear none is none', () => {
    for (const prices of PRICES)
      expect(taxed([line('5'), line('-7.5')], prices)).to.deep.equal({ lines: [[], []], breakdown: [] });
  });
});

describe('the rates of a line', () => {
  it('are those of the first that says any: they take each other’s place and never add up', () => {
    const [own, customer, seller] = [[vat('8')], [vat('19')], [vat('20')]];
    expect(ratesInForce([own, customer, seller])).to.equal(own);
    expect(ratesInForce([undefined, customer, seller])).to.equal(customer);
    expect(ratesInForce([undefined, [], seller])).to.deep.equal([]);
    expect(ratesInForce([undefined])).to.deep.equal([]);
  });

  it('are refused with every fault at once', () => {
    const wrong = [
      vat('-1'),
      { ...vat('19'), exemption: 'export' },
      vat('7'),
      vat('7.0'),
      { ...vat('1'), rate: new Decimal(NaN) },
    ];
    expect(checkTaxRates('/taxRates', wrong).map(({ pointer, code }) => `${pointer} ${code}`)).to.deep.equal([
      '/taxRates/0/rate negative_rate',
      '/taxRates/1/exemption exempt_rate_not_zero',
      '/taxRates/3 duplicate_rate',
      '/taxRates/4/rate negative_rate',
    ]);
  });
});
