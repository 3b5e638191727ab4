import type { Billed } from '#pipelines/demo/bill-customers.ts';
import type { BillLine } from '#pipelines/demo/bill.ts';

/** An issued invoice with one line. */
export function billedOf({
  amount,
  ...totals
}: Readonly<Record<'amount' | 'net' | 'tax' | 'total', string>>): Billed {
  const line: BillLine = {
    id: '1',
    kind: 'usage',
    charge: 'tokens',
    description: 'Tokens',
    quantity: '1',
    unitPrice: amount,
    amount,
    working: [],
  };
  return {
    invoice: {
      id: 'i-1',
      number: 'INV-2026-000001',
      state: 'issued',
      customer: 'acme',
      currency: 'USD',
      servicePeriod: { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' },
      issueDate: '2026-04-01',
      dueDate: '2026-05-01',
      lines: [line],
      totals,
      taxes: [{ code: 'vat', jurisdiction: 'DE', rate: '19', exemption: null, amount: totals.tax }],
      sellerParty: { name: 'Seller' },
      buyerParty: { name: 'Acme' },
      releasedFrom: [],
    },
    isVerified: true,
    file: '/data/invoices/INV-2026-000001.pdf',
  };
}
