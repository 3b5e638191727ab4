import { expect } from 'chai';
import fc from 'fast-check';
import { parseDecimal } from '#domain/money/decimal.ts';
import { isoCurrency } from '#domain/money/currency.ts';
import { toFraction } from '#domain/money/fraction.ts';
import { taxesOf } from '#domain/invoicing/tax.ts';
import type { Billed } from '#pipelines/demo/bill-customers.ts';
import { taxIndependently } from '#pipelines/demo/expected-bill.ts';
import { areGapless, checkInvoices } from '#pipelines/demo/invoice-check.ts';
import { dataSetOf } from './facts.ts';
import { billedOf } from './invoices.ts';

describe('the check of the invoices', () => {
  const set = dataSetOf([]);
  const bills = [
    { customer: 'acme', expected: { lines: new Map([['tokens price', 1_050n]]), total: 1_050n } },
  ];
  const right = billedOf({ amount: '10.5', net: '10.5', tax: '2', total: '12.5' });
  const check = (invoices: readonly Billed[], failures: { customer: string; message: string }[] = []) =>
    checkInvoices({ invoices, failures }, set, bills);

  it('is well with exactly one issued, numbered, verified and equal invoice for every customer', () => {
    expect(check([right]).ok).to.equal(true);
  });

  it('finds a cent in a line, in the net amount, the tax and the total', () => {
    const differences = (amounts: Parameters<typeof billedOf>[0]): (string | undefined)[] => {
      const { ok, invoices } = check([billedOf(amounts)]);
      expect(ok).to.equal(false);
      return invoices.flatMap(({ different }) => different.map(({ what }) => what));
    };
    expect(differences({ amount: '10.51', net: '10.5', tax: '2', total: '12.5' })).to.deep.equal([
      'tokens price',
    ]);
    expect(differences({ amount: '10.5', net: '10.51', tax: '2', total: '12.5' })).to.deep.equal(['net']);
    expect(differences({ amount: '10.5', net: '10.5', tax: '1.99', total: '12.5' })).to.deep.equal(['tax']);
    expect(differences({ amount: '10.5', net: '10.5', tax: '2', total: '12.51' })).to.deep.equal(['total']);
  });

  it('finds an invoice too few or too many, one that is not issued or not verified, and customers who could not be billed', () => {
    expect(check([]).faults).to.deep.equal(['acme has 0 invoices']);
    expect(check([right, right]).faults).to.deep.equal(['acme has 2 invoices']);
    const stranger = { ...right, invoice: { ...right.invoice, customer: 'stranger' } };
    expect(check([right, stranger]).ok).to.equal(false);
    const draft = { ...right, file: null, invoice: { ...right.invoice, state: 'draft', number: null } };
    expect(check([draft])).to.include({ ok: false, isGapless: false });
    expect(check([draft]).faults).to.deep.equal(['the invoice of acme is draft, not issued']);
    expect(check([{ ...right, isVerified: false }]).ok).to.equal(false);
    const failed = check([right], [{ customer: 'acme', message: 'The meter is moving.' }]);
    expect(failed).to.deep.include({
      ok: false,
      faults: ['acme could not be billed: The meter is moving.'],
    });
  });

  it('takes numbers for gapless in any order and of any series, and no other', () => {
    expect(areGapless(['A-2026-000002', 'A-2026-000001'])).to.equal(true);
    expect(areGapless(['A-2026-000001', 'A-2027-000001'])).to.equal(true);
    expect(areGapless(['A-2026-000001', 'A-2026-000003'])).to.equal(false);
    expect(areGapless(['A-2026-000002'])).to.equal(false);
    expect(areGapless(['A-2026-000001', 'A-2026-000001'])).to.equal(false);
    expect(areGapless(['A-2026-000001', null])).to.equal(false);
  });

  it('taxes as the product does, for any amounts of lines and any rate', () => {
    const usd = isoCurrency('USD');
    const cents = fc.array(fc.integer({ min: -1_000_000, max: 10_000_000 }), { maxLength: 5 });
    const rate = fc.nat(100_000).map((thousandths) => (thousandths / 1_000).toFixed(3));
    fc.assert(
      fc.property(cents, rate, (amounts, percent) => {
        const taxRates = [{ code: 'vat', jurisdiction: 'DE', rate: parseDecimal(percent) }];
        const lines = amounts.map((amount) => ({
          open: toFraction(parseDecimal((amount / 100).toFixed(2))),
          taxRates,
        }));
        const net = amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
        const { total } = taxesOf(usd, lines, 'exclusive');
        const own = taxIndependently(net, [{ rate: percent }], 2);
        expect(String(own)).to.equal(total.amount.times(100).toFixed());
      }),
      { numRuns: 500 },
    );
  });
});
