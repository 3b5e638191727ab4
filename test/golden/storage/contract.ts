import { change, run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

/** An event is by how much the stored gigabytes change. */
const stored = (at: string, gigabytes: string) => use('atlas-archive', 'storage.changed', at, { gigabytes });

const tiers = (first: string, rest: string) => [
  { upTo: '1000', unitPrice: first },
  { upTo: null, unitPrice: rest },
];

/**
 * Storage is a level that lasts: a gigabyte that is stored for half of a month is half a gigabyte-month. April has 30 days. The plan becomes a
 * cheaper one on 16 April, and the contract ends on 11 May, 10 days of 31 into that month.
 */
export const contract: GoldenContract = {
  title: 'A storage product, paid by the level over time',
  startsAt: '2026-03-30T08:00:00Z',
  meters: {
    storage: {
      name: 'Stored gigabytes',
      eventType: 'storage.changed',
      aggregation: 'timeWeightedSum',
      value: 'gigabytes',
    },
  },
  sellers: {
    vault: { name: 'Vault Storage B.V.', numbering: { prefix: 'VS-' } },
  },
  customers: {
    atlas: { name: 'Atlas Archive', subjects: ['atlas-archive'], currency: 'EUR', taxRates: [] },
  },
  plans: {
    cold: [
      {
        currencies: ['EUR'],
        family: 'storage',
        phases: [
          {
            key: 'main',
            charges: [
              {
                key: 'storage',
                name: 'Stored gigabyte-months',
                meter: 'storage',
                quantity: { free: '60' },
                price: { model: 'graduated', tiers: tiers('0.04', '0.03') },
              },
            ],
          },
        ],
      },
    ],
    frozen: [
      {
        currencies: ['EUR'],
        family: 'storage',
        phases: [
          {
            key: 'main',
            charges: [
              {
                key: 'storage',
                name: 'Stored gigabyte-months',
                meter: 'storage',
                quantity: { free: '60' },
                price: { model: 'graduated', tiers: tiers('0.02', '0.01') },
              },
            ],
          },
        ],
      },
    ],
  },
  steps: [
    subscribe('2026-03-30T08:10:00Z', 'atlas', 'archive', {
      plan: 'cold',
      anchor: 'calendar',
      startAt: time('2026-04-01T00:00:00Z'),
      endAt: time('2026-05-11T00:00:00Z'),
    }),
    // It was there before the contract, and lasts.
    stored('2026-03-31T12:00:00Z', '600'),
    stored('2026-04-06T00:00:00Z', '900'),
    change('2026-04-10T12:00:00Z', 'archive', {
      kind: 'change',
      at: time('2026-04-16T00:00:00Z'),
      plan: 'frozen',
    }),
    stored('2026-04-26T00:00:00Z', '-1200'),
    run('2026-05-01T03:00:00Z'),
    stored('2026-05-06T00:00:00Z', '300'),
    run('2026-05-11T03:00:00Z'),
  ],
  invoices: [
    {
      of: 'April: 5 days of 600 and 10 of 1,500, then 10 of 1,500 and 5 of 300; the 60 free ones are 30 in each half',
      lines: [
        // (5 × 600 + 10 × 1,500) ÷ 30 = 600 gigabyte-months, of which 30 are free; (10 × 1,500 + 5 × 300) ÷ 30 = 550 go on from 570.
        'usage storage: ((5 × 600 + 10 × 1,500) ÷ 30 − 30) × 0.04 = 570 × 0.04 = 22.80',
        'usage storage: (1,000 − 570) × 0.02 + ((10 × 1,500 + 5 × 300) ÷ 30 − 30 − 430) × 0.01 = 8.60 + 0.90 = 9.50',
      ],
      total: '22.80 + 9.50 = 32.30',
    },
    {
      of: 'ten days of May, with ten days of what is free',
      lines: ['usage storage: ((5 × 300 + 5 × 600) ÷ 31 − 60 × 10 ÷ 31) × 0.02 = 2.52'],
      total: '2.52 = 2.52',
    },
  ],
};
