import { run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const kilometres = (subject: string, at: string, km: string) => use(subject, 'trip.ended', at, { km });
const site = (name: string, subject: string) => ({
  name,
  subjects: [subject],
  parent: 'polar',
  timezone: 'Europe/Berlin',
  currency: 'EUR',
});
const startAt = time('2026-10-01T00:00:00+02:00');

/**
 * A group pays for its three sites: one invoice, on which each has its own tiers. The south pays less by an override, and the west, which begins on
 * the 16th, pays for 16 of the 31 days (385 of 745 hours: summer time ends on the 25th) at the end of the month.
 */
export const contract: GoldenContract = {
  title: 'A parent that pays for three children',
  startsAt: '2026-09-29T08:00:00Z',
  meters: { kilometres: { name: 'Kilometres', eventType: 'trip.ended', aggregation: 'sum', value: 'km' } },
  sellers: {
    fleet: {
      name: 'Flottenblick GmbH',
      ids: [{ scheme: 'vat', id: 'DE264999888' }],
      taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }],
      numbering: { prefix: 'FB-', timezone: 'Europe/Berlin' },
    },
  },
  customers: {
    polar: {
      name: 'Polar Kühllogistik SE',
      currency: 'EUR',
      timezone: 'Europe/Berlin',
      address: { line1: 'Am Kai 7', city: 'Hamburg', postalCode: '20457', country: 'DE' },
      netTermDays: 45,
      purchaseOrder: 'KST-4711',
    },
    'polar-north': site('Polar Nord GmbH', 'trucks-north'),
    'polar-south': site('Polar Süd GmbH', 'trucks-south'),
    'polar-west': site('Polar West GmbH', 'trucks-west'),
  },
  plans: {
    fleet: [
      {
        currencies: ['EUR'],
        phases: [
          {
            key: 'main',
            charges: [
              { key: 'trucks', name: 'Trucks', price: { model: 'perUnit', unitPrice: '8' } },
              {
                key: 'kilometres',
                name: 'Kilometres',
                meter: 'kilometres',
                price: {
                  model: 'graduated',
                  tiers: [
                    { upTo: '10000', unitPrice: '0.01' },
                    { upTo: null, unitPrice: '0.005' },
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
    subscribe('2026-09-29T08:10:00Z', 'polar-north', 'north', {
      plan: 'fleet',
      anchor: 'calendar',
      startAt,
      quantities: { trucks: '12' },
    }),
    subscribe('2026-09-29T08:11:00Z', 'polar-south', 'south', {
      plan: 'fleet',
      anchor: 'calendar',
      startAt,
      quantities: { trucks: '5' },
      overrides: { trucks: { discount: { percent: '10' } } },
    }),
    subscribe('2026-09-29T08:12:00Z', 'polar-west', 'west', {
      plan: 'fleet',
      anchor: 'calendar',
      startAt: time('2026-10-16T00:00:00+02:00'),
      quantities: { trucks: '3' },
    }),
    kilometres('trucks-north', '2026-10-05T08:00:00Z', '9000'),
    kilometres('trucks-south', '2026-10-08T08:00:00Z', '8421.5'),
    // Before the west has a contract.
    kilometres('trucks-west', '2026-10-15T21:59:59Z', '500'),
    kilometres('trucks-north', '2026-10-19T08:00:00Z', '3500'),
    kilometres('trucks-west', '2026-10-25T08:00:00Z', '1250'),
    run('2026-11-01T02:00:00Z'),
  ],
  invoices: [
    {
      of: 'October of all three; each begins in the first tier',
      lines: [
        'usage kilometres of north: 10,000 × 0.01 + 2,500 × 0.005 = 112.50',
        'fixed trucks of north: 12 × 8 = 96.00',
        'usage kilometres of south: 8,421.5 × 0.01 = 84.22',
        'fixed trucks of south: 5 × 8 = 40.00',
        'discount trucks of south: −40 × 0.1 = −4.00',
        'usage kilometres of west: 1,250 × 0.01 = 12.50',
        'fixed trucks of west: 3 × 8 × 385 ÷ 745 = 12.40',
      ],
      taxes: ['vat DE 19%: (112.50 + 96 + 84.22 + 40 − 4 + 12.50 + 12.40) × 0.19 = 353.62 × 0.19 = 67.19'],
      total: '353.62 + 67.19 = 420.81',
    },
  ],
};
