import { expect } from 'chai';
import fc from 'fast-check';
import type { InvoiceTerms } from '#domain/invoicing/invoice-terms.ts';
import { InvoicingError } from '#domain/invoicing/invoicing-error.ts';
import { totalInvoice, type InvoiceTotals, type InvoicedLine } from '#domain/invoicing/total-invoice.ts';
import { isoCurrency, withCurrency, type Currency } from '#domain/money/currency.ts';
import { Decimal } from '#domain/money/decimal.ts';
import {
  add,
  compare,
  isPayable,
  isZero,
  money,
  negate,
  noMoney,
  parseMoney,
  subtract,
  sum,
  toMoneyText,
  type Money,
} from '#domain/money/money.ts';
import { invoiceTerms } from './arbitrary-terms.ts';
import { PERIOD, fixed, lineOf, percentage, vat } from './terms.ts';

const euro = isoCurrency('EUR');
const inEuro = (text: string) => parseMoney(euro, text);
const RUNS = { numRuns: 150 };

/** In every currency of another number of decimals. */
function always(
  check: <C extends string>(terms: InvoiceTerms<C>, currency: Currency<C>) => void,
  least = 0n,
) {
  for (const code of ['EUR', 'JPY', 'BHD', 'CLF'])
    withCurrency(code, (currency) =>
      fc.assert(
        fc.property(invoiceTerms(currency, least), (terms) => check(terms, currency)),
        RUNS,
      ),
    );
}

const isBelowZero = ({ amount }: { readonly amount: Decimal }): boolean =>
  amount.isNegative() && !amount.isZero();

/** What is left of a line after its discounts. */
const leftOf = <C extends string>({ amount, discounts }: InvoicedLine<C>): Money<C> =>
  subtract(
    amount,
    sum(
      amount.currency,
      discounts.map((discount) => discount.amount),
    ),
  );

/** Everything that has to add up on an invoice to the last minor unit. */
function expectToAddUp<C extends string>(currency: Currency<C>, invoice: InvoiceTotals<C>): void {
  const same = (a: Money<C>, b: Money<C>, what: string): void =>
    void expect(toMoneyText(a), what).to.equal(toMoneyText(b));
  const sumOf = (all: readonly { readonly amount: Money<C> }[]): Money<C> =>
    sum(
      currency,
      all.map(({ amount }) => amount),
    );
  const { lines, charges, discounts, net, tax, total, taxes } = invoice;
  same(charges, sumOf(lines), 'charges are the lines');
  same(tax, sumOf(taxes), 'tax is its breakdown');
  same(tax, sumOf(lines.flatMap((line) => line.taxes)), 'tax is that of the lines');
  same(total, add(net, tax), 'the total is net and tax');
  const capped = lines.flatMap((line) => line.discounts.filter(({ kind }) => kind === 'maximum'));
  same(
    discounts,
    add(sumOf(invoice.coupons), sumOf(capped)),
    'discounts are coupons and what is over the maximum',
  );
  const all = [charges, discounts, net, tax, total, ...taxes.flatMap((each) => [each.base, each.amount])];
  for (const amount of all) expect(amount.amount.isFinite() && isPayable(amount)).to.equal(true);
}

describe('an invoice', () => {
  it('adds up to the last minor unit, whatever is on it', () => {
    always((terms, currency) => expectToAddUp(currency, totalInvoice(terms)), -30n);
  });

  it('spreads what each coupon gives over lines, to the last minor unit, and never below 0', () => {
    always((terms) => {
      const { lines, coupons } = totalInvoice({ ...terms, couponShares: 'minorUnits' });
      for (const { key, amount } of coupons) {
        const shares = lines.flatMap(({ discounts }) =>
          discounts.filter((discount) => discount.kind === 'coupon' && discount.key === key),
        );
        const spread = sum(
          terms.currency,
          shares.map((share) => share.amount),
        );
        expect(toMoneyText(spread)).to.equal(toMoneyText(amount));
        for (const share of shares) expect(isPayable(share.amount)).to.equal(true);
      }
      for (const line of lines) expect(isBelowZero(leftOf(line))).to.equal(false);
    });
  });

  it('of charges that are not below 0 has no amount that is', () => {
    always((terms) => {
      const { lines, charges, coupons, discounts, net, tax, total, taxes } = totalInvoice(terms);
      const all = [
        charges,
        discounts,
        net,
        tax,
        total,
        ...[...lines, ...coupons, ...taxes].map((each) => each.amount),
      ];
      expect(all.some(isBelowZero)).to.equal(false);
    });
  });

  it('keeps the gross amount where prices have their tax in them', () => {
    always((terms) => {
      const invoice = totalInvoice({ ...terms, prices: 'inclusive', couponShares: 'minorUnits' });
      expect(compare(invoice.total, subtract(invoice.charges, invoice.discounts))).to.equal(0);
      for (const line of invoice.lines) {
        const [first] = line.taxes;
        if (!first) continue;
        const gross = sum(terms.currency, [first.base, ...line.taxes.map(({ amount }) => amount)]);
        expect(toMoneyText(gross)).to.equal(toMoneyText(leftOf(line)));
      }
    }, -30n);
  });

  it('taken back is the same with all signs turned', () => {
    always((terms) => {
      const plain = { ...terms, minimum: undefined, maximum: undefined, commitments: [], coupons: [] };
      const back = { ...plain, lines: plain.lines.map((line) => ({ ...line, amount: negate(line.amount) })) };
      const [given, taken] = [totalInvoice(plain), totalInvoice(back)];
      for (const name of ['net', 'tax', 'total'] as const)
        expect(toMoneyText(negate(taken[name]))).to.equal(toMoneyText(given[name]));
    });
  });

  it('is alike for alike terms, and the amounts do not hang on the order of lines', () => {
    always((terms) => {
      const plain = { ...terms, coupons: [], maximum: undefined };
      const [given, again] = [totalInvoice(plain), totalInvoice(plain)];
      expect(again).to.deep.equal(given);
      const turned = totalInvoice({ ...plain, lines: plain.lines.toReversed() });
      for (const name of ['charges', 'net', 'tax', 'total'] as const)
        expect(toMoneyText(turned[name])).to.equal(toMoneyText(given[name]));
    });
  });

  it('has the order of money: maximum, minimum, commitments, coupons, tax', () => {
    const invoice = totalInvoice({
      currency: euro,
      lines: [lineOf(euro, 'a', '80', ['20']), lineOf(euro, 'b', '40', ['20'])],
      maximum: { amount: inEuro('100'), before: inEuro('10') },
      minimum: { key: 'least', period: PERIOD, taxRates: [vat('20')], amount: inEuro('100') },
      commitments: [{ key: 'promise', period: PERIOD, taxRates: [vat('20')], amount: inEuro('150') }],
      coupons: [fixed(euro, '50'), percentage('10')],
    });
    // 120 are capped to 90, raised to 100, trued up to 150; 50 and then 10 percent of 100 are taken off; 20 percent of 90 are due.
    expect(invoice.lines.map(({ id, kind, amount }) => `${id} ${kind} ${toMoneyText(amount)}`)).to.deep.equal(
      ['a charge 80', 'b charge 40', 'least minimum 10', 'promise trueUp 50'],
    );
    expect(invoice.coupons.map(({ amount }) => toMoneyText(amount))).to.deep.equal(['50', '10']);
    const { charges, discounts, net, tax, total } = invoice;
    expect([charges, discounts, net, tax, total].map(toMoneyText)).to.deep.equal([
      '180',
      '90',
      '90',
      '18',
      '108',
    ]);
    expect(invoice.lines[1]?.discounts.map(({ kind, amount }) => [kind, toMoneyText(amount)])).to.deep.equal([
      ['maximum', '30'],
      ['coupon', '3.33'],
      ['coupon', '0.67'],
    ]);
  });

  it('of nothing is nothing', () => {
    const { lines, coupons, taxes, ...totals } = totalInvoice({
      currency: euro,
      lines: [],
      coupons: [percentage('10')],
    });
    expect(Object.values(totals).every(isZero)).to.equal(true);
    expect([lines, taxes, coupons.map(({ amount }) => isZero(amount))]).to.deep.equal([[], [], [true]]);
  });

  it('refuses what was never checked, by an error that names every fault', () => {
    const wrong = {
      currency: euro,
      lines: [{ ...lineOf(euro, 'a', '0'), amount: money(euro, new Decimal(NaN)) }],
      coupons: [percentage('101')],
    };
    expect(() => totalInvoice(wrong))
      .to.throw(InvoicingError)
      .with.property('violations')
      .with.length(2);
  });

  it('adds up ten thousand lines, which is as many as there may be', () => {
    const lines = Array.from({ length: 10_000 }, (_, at) =>
      lineOf(euro, String(at), `${at % 97}.${10 + (at % 89)}`, ['7', '12.5']),
    );
    const unlike = lines.map((line) => ({
      ...line,
      taxRates: line.taxRates.map((rate, at) => ({ ...rate, code: `tax ${at}` })),
    }));
    const invoice = totalInvoice({
      currency: euro,
      lines: unlike,
      coupons: [fixed(euro, '99.99'), percentage('33.3')],
    });
    expectToAddUp(euro, invoice);
    expect(compare(invoice.total, noMoney(euro))).to.equal(1);
  });
});
