import { time, write, type GoldenContract } from '../golden-contract.ts';

const week = { from: time('2026-09-07T07:00:00Z'), to: time('2026-09-11T16:00:00Z') };

/** Written by hand: work of three days, its travel without tax, and something taken off. */
export const contract: GoldenContract = {
  title: 'A one-off invoice',
  startsAt: '2026-09-14T08:00:00Z',
  sellers: {
    studio: {
      name: 'Studio Fünfeck GbR',
      address: { line1: 'Lindenhof 5', city: 'Leipzig', postalCode: '04109', country: 'DE' },
      taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }],
      netTermDays: 14,
      numbering: { prefix: '', timezone: 'Europe/Berlin' },
    },
  },
  customers: { museum: { name: 'Museum für Druckkunst', timezone: 'Europe/Berlin', currency: 'EUR' } },
  steps: [
    write('2026-09-14T09:30:00Z', 'museum', [
      {
        description: 'Workshop, days',
        period: week,
        quantity: '3',
        unitPrice: '850',
        amount: '2550',
        taxRates: null,
      },
      {
        description: 'Travel, as it was paid',
        period: week,
        quantity: null,
        unitPrice: null,
        amount: '312.4',
        taxRates: [],
      },
      {
        description: 'Less what was agreed on for museums',
        period: week,
        quantity: null,
        unitPrice: null,
        amount: '-255',
        taxRates: null,
      },
    ]),
  ],
  invoices: [
    {
      of: 'a workshop',
      lines: [
        'extra Workshop, days: 3 × 850 = 2,550.00',
        'extra Travel, as it was paid: 312.40 = 312.40',
        'extra Less what was agreed on for museums: −2,550 × 0.1 = −255.00',
      ],
      taxes: ['vat DE 19%: (2,550 − 255) × 0.19 = 436.05'],
      total: '2,550 + 312.40 − 255 + 436.05 = 3,043.45',
    },
  ],
};
