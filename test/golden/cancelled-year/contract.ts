import { change, run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const scanned = (at: string, pages: string) => use('orchard', 'page.scanned', at, { pages });

/**
 * A year that was paid in advance and is cancelled after 181 of its 365 days. What is given back is more than what is due, and no invoice below 0 is
 * issued unseen: it waits as a draft, and says why.
 */
export const contract: GoldenContract = {
  title: 'A year paid in advance, cancelled after half of it',
  startsAt: '2025-12-30T08:00:00Z',
  meters: { pages: { name: 'Pages', eventType: 'page.scanned', aggregation: 'sum', value: 'pages' } },
  sellers: {
    scan: {
      name: 'Scanhuset AB',
      taxRates: [{ code: 'vat', jurisdiction: 'SE', rate: '25' }],
      numbering: { prefix: 'SH-' },
    },
  },
  customers: { orchard: { name: 'Orchard Archive', subjects: ['orchard'], currency: 'SEK' } },
  plans: {
    archive: [
      {
        currencies: ['SEK'],
        phases: [
          {
            key: 'main',
            charges: [
              {
                key: 'year',
                name: 'Archive, a year',
                timing: 'inAdvance',
                cadence: 'P1Y',
                price: { model: 'flat', amount: '12000' },
              },
              {
                key: 'pages',
                name: 'Pages',
                meter: 'pages',
                cadence: 'P1Y',
                price: { model: 'perUnit', unitPrice: '0.25' },
              },
            ],
          },
        ],
      },
    ],
  },
  steps: [
    subscribe('2025-12-30T08:10:00Z', 'orchard', 'archive', {
      plan: 'archive',
      anchor: 'calendar',
      startAt: time('2026-01-01T00:00:00Z'),
    }),
    run('2026-01-01T03:00:00Z'),
    scanned('2026-02-03T10:00:00Z', '1200'),
    scanned('2026-06-30T23:59:59Z', '34'),
    change('2026-07-01T00:00:00Z', 'archive', { kind: 'cancel', at: 'now' }),
    scanned('2026-07-01T00:00:00Z', '1000'),
    run('2026-07-01T03:00:00Z'),
  ],
  invoices: [
    {
      of: 'the year in advance',
      lines: ['fixed year: 12,000 = 12,000.00'],
      taxes: ['vat SE 25%: 12,000 × 0.25 = 3,000.00'],
      total: '12,000 + 3,000 = 15,000.00',
    },
    {
      of: 'pages up to the end, and 184 days that are given back',
      lines: [
        'usage pages: (1,200 + 34) × 0.25 = 308.50',
        'unused year: 12,000 × 181 ÷ 365 − 12,000 = −6,049.32',
      ],
      taxes: ['vat SE 25%: (308.50 − 6,049.32) × 0.25 = −1,435.21'],
      total: '−5,740.82 − 1,435.21 = −7,176.03',
    },
  ],
};
