import { run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const paid = (at: string, amount: string) => use('kiosk-17', 'payment.settled', at, { amount });

/**
 * A part of each payment: 1.5 % and 0.25, at least 0.50 and at most 5.00 for one, the first two of a month free; and on the whole value of a
 * month a share in tiers. The rules look at each payment by itself, in the order of time, so they are read one by one.
 */
export const contract: GoldenContract = {
  title: 'A marketplace with a percentage and rules for each payment',
  startsAt: '2026-05-29T08:00:00Z',
  meters: {
    payments: {
      name: 'Settled payments',
      eventType: 'payment.settled',
      aggregation: 'sum',
      value: 'amount',
    },
  },
  sellers: {
    market: {
      name: 'Marktplatz Nord A/S',
      address: { line1: 'Havnegade 5', city: 'København', postalCode: '1058', country: 'DK' },
      ids: [{ scheme: 'vat', id: 'DK13585628' }],
      numbering: { prefix: 'MN/', timezone: 'Europe/Copenhagen' },
      netTermDays: 8,
    },
  },
  customers: {
    kiosk: {
      name: 'Kiosk Siebzehn OHG',
      subjects: ['kiosk-17'],
      timezone: 'Europe/Copenhagen',
      currency: 'EUR',
      taxIds: [{ scheme: 'vat', id: 'DE811907980' }],
      taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '0', exemption: 'reverse_charge' }],
    },
  },
  plans: {
    market: [
      {
        currencies: ['EUR'],
        phases: [
          {
            key: 'main',
            charges: [
              {
                key: 'payments',
                name: 'Payments',
                meter: 'payments',
                price: {
                  model: 'percentage',
                  percent: '1.5',
                  feePerEvent: '0.25',
                  freeEvents: '2',
                  minimumPerEvent: '0.50',
                  maximumPerEvent: '5',
                },
              },
              {
                key: 'turnover',
                name: 'Turnover share',
                meter: 'payments',
                price: {
                  model: 'graduatedPercentage',
                  tiers: [
                    { upTo: '1000', percent: '1' },
                    { upTo: null, percent: '0.5', flatFee: '3' },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  },
  steps: [
    subscribe('2026-05-29T08:10:00Z', 'kiosk', 'stand', {
      plan: 'market',
      anchor: 'calendar',
      startAt: time('2026-06-01T00:00:00+02:00'),
    }),
    paid('2026-06-02T08:00:00Z', '40.00'),
    paid('2026-06-02T09:00:00Z', '12.50'),
    paid('2026-06-05T09:00:00Z', '10.00'),
    paid('2026-06-09T09:30:00Z', '99.99'),
    paid('2026-06-17T16:45:00Z', '1250.00'),
    paid('2026-06-28T07:10:00Z', '16.66'),
    run('2026-07-01T01:00:00Z'),
  ],
  invoices: [
    {
      of: 'June: two free ones; 10.00 comes to 0.40 and is raised, 99.99 to 1.74985, 1,250 to 19.00 and is lowered, 16.66 to 0.4999 and is raised',
      lines: [
        'usage payments: 0.50 + (99.99 × 0.015 + 0.25) + 5 + 0.50 = 7.74985 = 7.75',
        // 40 + 12.50 + 10 + 99.99 + 1,250 + 16.66 = 1,429.15 in all.
        'usage turnover: 1,000 × 0.01 + 3 + (40 + 12.50 + 10 + 99.99 + 1,250 + 16.66 − 1,000) × 0.005 = 15.14575 = 15.15',
      ],
      taxes: ['vat DE 0%: 22.90 × 0 = 0.00'],
      total: '7.75 + 15.15 = 22.90',
    },
  ],
};
