import { expect } from 'chai';
import { Decimal } from '#domain/money/decimal.ts';
import { billUsage } from '#domain/invoicing/bill-usage.ts';
import type { FileCharge } from '#pipelines/demo/charges-file.ts';
import type { CheckedInvoice } from '#pipelines/demo/invoice-check.ts';
import type { InvoiceAnswer } from '#pipelines/demo/invoice.ts';
import { invoicesToJson, tellInvoices } from '#pipelines/demo/tell-invoices.ts';
import { billedOf } from './invoices.ts';

const charge: FileCharge = {
  key: 'tokens',
  name: 'Tokens, thousands',
  meter: 'tokens',
  quantity: { divideBy: '1000', free: '1' },
  price: {
    model: 'graduated',
    tiers: [
      { upTo: '10', unitPrice: '0.5' },
      { upTo: null, unitPrice: '0.25' },
    ],
  },
  discount: { percent: '10' },
  maximum: '6',
};

const base = billedOf({ amount: '6', net: '6', tax: '1.14', total: '7.14' });

function checkedOf(tokens: string, more: Partial<InvoiceAnswer> = {}): CheckedInvoice {
  const { lines } = billUsage({
    currency: 'USD',
    timezone: 'UTC',
    period: { from: 0, to: 86_400_000_000 },
    charges: [charge],
    usage: new Map([['tokens', [{ quantity: new Decimal(tokens) }]]]),
  });
  return { ...base, invoice: { ...base.invoice, lines, ...more }, different: [] };
}

const held = [{ code: 'open_dead_letters', message: 'Events of acme lie among the dead letters.' }];
const invoices = [
  checkedOf('18123.45', { number: 'INV-2026-000003', releasedFrom: held }),
  checkedOf('1000', { customer: 'globex', number: 'INV-2026-000002' }),
  checkedOf('1000', { customer: 'stark', number: 'INV-2026-000001' }),
];

describe('what the demo tells of invoices', () => {
  it('is the first whole, with how each line came about, a row of each other by number, and whether all are right', () => {
    const told = tellInvoices({ invoices, faults: [], isGapless: true, ok: true });
    expect(told.join('\n')).to.equal(
      `  the invoice of acme as an invoice run made it; indented, how a line came about:

    INV-2026-000003, Seller to Acme: 2026-03-01 until 2026-04-01, issued 2026-04-01, due 2026-05-01

                       quantity  unit price    USD
    Tokens, thousands  17.12345       tiers   6.78
        18,123.45 measured, converted to 18.12345, 1 of them free
        tier 1: 10 × 0.50 = 5.00
        tier 2: 7.12345 × 0.25 = 1.7808625
        together 6.7808625, rounded to 6.78
    10 % discount                            -0.68
        less 10 % it is 6.10277625, rounded to 6.10
    maximum                                  -0.10
        lowered to the maximum of 6.00
    Net                                       6.00
    vat DE, 19 %                              1.14
    Total                                     7.14

  the invoices of the others:

                     number  lines   net   tax  total   state
    stark   INV-2026-000001      1  6.00  1.14   7.14  issued
    globex  INV-2026-000002      1  6.00  1.14   7.14  issued

  held at first   that of acme: Events of acme lie among the dead letters. The demo released it, so its number comes after the others
  the invoices    of all 3 customers, numbered without a gap; 5 lines, taxes and totals equal to the cent what simple arithmetic makes of the independent count
  verified        equal: usage, fingerprints and amounts of each, computed once more from the raw events in the warehouse
  as PDF          /data/invoices/INV-2026-000001.pdf, and the 2 others beside it`,
    );
  });

  it('names whatever is not right', () => {
    const [first] = invoices.map((each) => ({
      ...each,
      isVerified: false,
      different: [{ what: 'tax', found: '1.13', expected: '1.14' }],
    }));
    const told = tellInvoices({
      invoices: first === undefined ? [] : [first],
      faults: ['globex has 0 invoices'],
      isGapless: false,
      ok: false,
    }).join('\n');
    expect(told).to.include('of the one customer, NUMBERED WITH A GAP; they DIFFER');
    expect(told).to.include('    acme, tax: billed 1.13, independently 1.14\n    globex has 0 invoices');
    expect(told).to.include('  verified        DIFFERENT: acme');
  });

  it('is for a program every invoice, and the first one by itself', () => {
    const document = invoicesToJson({ invoices, faults: [], isGapless: true, ok: true }) as {
      readonly invoice: object;
      readonly invoices: readonly { readonly number: string }[];
    };
    expect(document.invoice).to.include({ number: 'INV-2026-000003', currency: 'USD', total: '7.14' });
    expect(document.invoice).to.have.property('lines').that.has.lengthOf(3);
    expect(document.invoices.map(({ number }) => number)).to.deep.equal([
      'INV-2026-000003',
      'INV-2026-000002',
      'INV-2026-000001',
    ]);
  });
});
