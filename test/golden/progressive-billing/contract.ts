import { run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const rendered = (at: string, frames: string) => use('reel', 'frames.rendered', at, { frames });

/**
 * Whoever used for 100 or more since the last invoice is billed at once. Tiers never begin again: each invoice has all of the month so far, and takes
 * off what was billed. The minimum of the charge is due with the end of the month alone.
 */
export const contract: GoldenContract = {
  title: 'Progressive billing by a spend threshold',
  startsAt: '2026-08-30T08:00:00Z',
  meters: {
    frames: { name: 'Frames', eventType: 'frames.rendered', aggregation: 'sum', value: 'frames' },
  },
  sellers: { render: { name: 'Render Ranch', netTermDays: 3, numbering: { prefix: 'RR-' } } },
  customers: {
    reel: {
      name: 'Reel Pictures',
      subjects: ['reel'],
      currency: 'USD',
      taxRates: [{ code: 'sales', jurisdiction: 'US-TX', rate: '8.25' }],
    },
  },
  plans: {
    render: [
      {
        currencies: ['USD'],
        spendThreshold: { USD: '100' },
        phases: [
          {
            key: 'main',
            charges: [
              {
                key: 'frames',
                name: 'Frames',
                meter: 'frames',
                minimum: '300',
                price: {
                  model: 'graduated',
                  tiers: [
                    { upTo: '1000', unitPrice: '0.1' },
                    { upTo: null, unitPrice: '0.05' },
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
    subscribe('2026-08-30T08:10:00Z', 'reel', 'render', {
      plan: 'render',
      anchor: 'calendar',
      startAt: time('2026-09-01T00:00:00Z'),
    }),
    rendered('2026-09-05T10:00:00Z', '800'),
    // 80.00: nothing happens.
    run('2026-09-06T02:00:00Z'),
    rendered('2026-09-09T10:00:00Z', '400'),
    run('2026-09-10T02:00:00Z'),
    run('2026-09-11T02:00:00Z'),
    rendered('2026-09-12T10:00:00Z', '1999'),
    // 99.95 more: nothing again.
    run('2026-09-13T02:00:00Z'),
    rendered('2026-09-20T10:00:00Z', '1001'),
    run('2026-09-21T02:00:00Z'),
    rendered('2026-09-30T10:00:00Z', '100'),
    run('2026-10-01T03:00:00Z'),
  ],
  invoices: [
    {
      of: 'September up to the 10th: 1,200 frames',
      lines: ['usage frames: 1,000 × 0.1 + 200 × 0.05 = 110.00'],
      taxes: ['sales US-TX 8.25%: 110 × 0.0825 = 9.075 = 9.08'],
      total: '110 + 9.08 = 119.08',
    },
    {
      of: 'September up to the 21st: 4,200 frames',
      lines: ['usage frames: 1,000 × 0.1 + 3,200 × 0.05 = 260.00', 'billedBefore frames: −110 = −110.00'],
      taxes: ['sales US-TX 8.25%: 150 × 0.0825 = 12.375 = 12.38'],
      total: '150 + 12.38 = 162.38',
    },
    {
      of: 'all of September: 4,300 frames, and what is missing to 300',
      lines: [
        'usage frames: 1,000 × 0.1 + 3,300 × 0.05 = 265.00',
        'minimum frames: 300 − 265 = 35.00',
        'billedBefore frames: −260 = −260.00',
      ],
      taxes: ['sales US-TX 8.25%: 40 × 0.0825 = 3.30'],
      total: '40 + 3.30 = 43.30',
    },
  ],
};
