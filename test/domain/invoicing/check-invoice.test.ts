import { expect } from 'chai';
import { checkInvoice } from '#domain/invoicing/check-invoice.ts';
import type { InvoiceTerms } from '#domain/invoicing/invoice-terms.ts';
import { totalInvoice } from '#domain/invoicing/total-invoice.ts';
import {
  COMMITMENTS_PER_INVOICE_MAX,
  COUPONS_PER_INVOICE_MAX,
  LINES_PER_INVOICE_MAX,
  TAX_RATES_PER_LINE_MAX,
} from '#domain/limits.ts';
import { isoCurrency } from '#domain/money/currency.ts';
import { Decimal } from '#domain/money/decimal.ts';
import { fraction } from '#domain/money/fraction.ts';
import { money, parseMoney, type Money } from '#domain/money/money.ts';
import { PERIOD, fixed, lineOf, percentage, vat } from './terms.ts';

const euro = isoCurrency('EUR');
const inEuro = (text: string) => parseMoney(euro, text);
const nothing = { from: PERIOD.to, to: PERIOD.to };
const faultsOf = (terms: Omit<InvoiceTerms<'EUR'>, 'currency'>): string[] =>
  checkInvoice({ currency: euro, ...terms }).map(({ pointer, code }) => `${pointer} ${code}`);

describe('the terms of an invoice', () => {
  it('are refused with every fault of every part at once', () => {
    const faults = faultsOf({
      lines: [
        lineOf(euro, 'a', '0.001', ['-1']),
        { ...lineOf(euro, 'a', '1'), period: { from: PERIOD.to, to: PERIOD.from } },
        { ...lineOf(euro, 'b', '1'), amount: money(euro, new Decimal(Infinity)) },
      ],
      maximum: { amount: inEuro('-1'), before: inEuro('0.001') },
      minimum: {
        key: 'b',
        period: nothing,
        amount: inEuro('1'),
        before: inEuro('0.001'),
        taxRates: [vat('-1')],
      },
      commitments: [
        {
          key: 'b',
          period: nothing,
          amount: inEuro('-0.001'),
          part: fraction(-1n, 2n),
          overageFactor: new Decimal('0.5'),
          taxRates: [],
        },
        {
          key: 'c',
          period: PERIOD,
          amount: inEuro('1'),
          overageFactor: new Decimal(NaN),
          taxRates: [vat('1'), vat('1')],
        },
      ],
      coupons: [
        fixed(euro, '-0.001', { used: '-1' }),
        percentage('-1'),
        percentage('100.1'),
        percentage('100.1'),
      ],
    });
    expect(faults).to.deep.equal([
      '/lines/1/id duplicate_name',
      '/minimum/key duplicate_name',
      '/commitments/0/key duplicate_name',
      '/coupons/3/key duplicate_name',
      '/lines/0/amount not_in_minor_units',
      '/lines/0/taxRates/0/rate negative_rate',
      '/lines/1/period reversed_period',
      '/lines/2/amount not_in_minor_units',
      '/maximum/amount negative_amount',
      '/maximum/before not_in_minor_units',
      '/minimum/before not_in_minor_units',
      '/minimum/taxRates/0/rate negative_rate',
      '/minimum/period empty_period',
      '/minimum/amount minimum_over_maximum',
      '/commitments/0/amount not_in_minor_units',
      '/commitments/0/amount negative_amount',
      '/commitments/0/period empty_period',
      '/commitments/0/part negative_part',
      '/commitments/0/overageFactor overage_factor_below_one',
      '/commitments/1/overageFactor overage_factor_below_one',
      '/commitments/1/taxRates/1 duplicate_rate',
      '/coupons/0/amount not_in_minor_units',
      '/coupons/0/amount negative_amount',
      '/coupons/0/used negative_amount',
      '/coupons/1/percent percent_out_of_range',
      '/coupons/2/percent percent_out_of_range',
      '/coupons/3/percent percent_out_of_range',
    ]);
  });

  it('are of one currency: an amount of another that got past the compiler is named', () => {
    const dollar = money(isoCurrency('USD'), new Decimal(1)) as unknown as Money<'EUR'>;
    const bound = { key: 'm', period: PERIOD, amount: dollar, before: dollar, taxRates: [] };
    const faults = faultsOf({
      lines: [{ ...lineOf(euro, 'a', '1'), amount: dollar }],
      maximum: bound,
      minimum: bound,
      commitments: [{ ...bound, key: 'c' }],
      coupons: [{ kind: 'fixed', key: 'f', amount: dollar, used: dollar }],
    });
    expect(new Set(faults.map((fault) => fault.split(' ')[1]))).to.deep.equal(new Set(['currency_mismatch']));
    expect(faults).to.have.length(8);
  });

  it('do not type-check in two currencies', () => {
    const dollar = isoCurrency('USD');
    const mixed = (): unknown[] => [
      // @ts-expect-error -- a line in dollars
      totalInvoice({ currency: euro, lines: [lineOf(dollar, 'a', '1')] }),
      // @ts-expect-error -- a coupon in dollars
      totalInvoice({ currency: euro, lines: [], coupons: [fixed(dollar, '1')] }),
      // @ts-expect-error -- a maximum in dollars
      totalInvoice({ currency: euro, lines: [], maximum: { amount: parseMoney(dollar, '1') } }),
    ];
    expect(mixed).to.throw();
  });

  it('have so many parts at most, and of more nothing else is looked at', () => {
    const many = <Part>(count: number, part: (name: string) => Part): Part[] =>
      Array.from({ length: count }, (_, at) => part(String(at)));
    const lines = many(LINES_PER_INVOICE_MAX, (id) => lineOf(euro, id, '0.001'));
    const commitment = { period: PERIOD, amount: inEuro('1'), taxRates: [] };
    expect(
      faultsOf({
        lines,
        commitments: many(COMMITMENTS_PER_INVOICE_MAX + 1, (key) => ({ ...commitment, key })),
        coupons: many(COUPONS_PER_INVOICE_MAX + 1, (key) => ({ ...percentage('1'), key })),
      }),
    ).to.deep.equal(['/lines too_many', '/commitments too_many', '/coupons too_many']);
    const rates = many(TAX_RATES_PER_LINE_MAX + 1, (code) => ({ ...vat('1'), code }));
    expect(faultsOf({ lines: [{ ...lineOf(euro, 'a', '1'), taxRates: rates }] })).to.deep.equal([
      '/lines/0/taxRates too_many',
    ]);
    expect(faultsOf({ lines: lines.map((line) => ({ ...line, amount: inEuro('1') })) })).to.deep.equal([]);
  });
});
