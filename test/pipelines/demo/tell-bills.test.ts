import { expect } from 'chai';
import { Decimal } from '#domain/money/decimal.ts';
import { billUsage } from '#domain/invoicing/bill-usage.ts';
import type { BillAnswer } from '#pipelines/demo/bill.ts';
import type { FileCharge } from '#pipelines/demo/charges-file.ts';
import { billsToJson, tellBills } from '#pipelines/demo/tell-bills.ts';

const PERIOD = { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' };

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
  minimum: '2',
};

function billOf(customer: string, tokens: string): BillAnswer {
  const { lines, totals } = billUsage({
    currency: 'USD',
    timezone: 'UTC',
    period: { from: 0, to: 86_400_000_000 },
    charges: [charge],
    usage: new Map([['tokens', [{ quantity: new Decimal(tokens) }]]]),
  });
  return { customer, currency: 'USD', period: PERIOD, lines, totals };
}

describe('what the demo tells of bills', () => {
  const bills = [billOf('acme', '18123.45'), billOf('globex', '1000'), billOf('stark', '6000')].map(
    (bill) => ({
      bill,
      different: [],
    }),
  );

  it('has under each line of the first how it came about, and of the others a row each', () => {
    const [, ...told] = tellBills(bills);
    expect(told.join('\n')).to.equal(`
                                      quantity  unit price  amount
    Tokens, thousands                 17.12345       tiers    6.78
        18,123.45 measured, converted to 18.12345, 1 of them free
        tier 1: 10 × 0.50 = 5.00
        tier 2: 7.12345 × 0.25 = 1.7808625
        together 6.7808625, rounded to 6.78
    Tokens, thousands: 10 % discount                         -0.68
        less 10 % it is 6.10277625, rounded to 6.10
    Tokens, thousands: maximum                               -0.10
        lowered to the maximum of 6.00
    Total                                                     6.00

  the bills of the others, by charge:

            tokens  total
    globex   ↑2.00   2.00
    stark     2.25   2.25
    ↑ raised to a charge's minimum

  the bills       of all 3 customers, 7 lines and their totals, equal to the cent what simple arithmetic makes of the independent count`);
  });

  it('is for a program every bill, the first one also as the invoice, which has no number yet', () => {
    const { invoice, bills: all } = billsToJson(bills) as { invoice: object; bills: { total: string }[] };
    expect(invoice).to.include({ number: null, currency: 'USD', customer: 'acme', total: '6' });
    expect(all.map(({ total }) => total)).to.deep.equal(['6', '2', '2.25']);
  });
});
