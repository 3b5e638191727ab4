import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import { change, run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const plan = (yearly: string, included: string): PlanVersionDefinition => ({
  currencies: ['GBP'],
  family: 'maps',
  phases: [
    {
      key: 'main',
      charges: [
        {
          key: 'licence',
          name: 'Licence, a year',
          timing: 'inAdvance',
          cadence: 'P1Y',
          price: { model: 'flat', amount: yearly },
        },
        {
          key: 'tiles',
          name: 'Map tiles beyond those included',
          meter: 'tiles',
          cadence: 'P1M',
          quantity: { divideBy: '1000', rounding: 'up', free: included },
          price: { model: 'perUnit', unitPrice: '0.75' },
        },
      ],
    },
  ],
});

const tiles = (at: string, count: string) => use('cartograph', 'tiles.served', at, { count });

/**
 * A year from 31 January 2028, which is a leap year: months end on 29 February, 31 March and 30 April. The licence becomes a larger one on 31
 * March: 60 days less the hour of summer time, so 1,439 hours, of 366 days, which are 8,784.
 */
export const contract: GoldenContract = {
  title: 'A yearly fee with monthly overage, from day 31 of a leap year',
  startsAt: '2028-01-30T12:00:00Z',
  meters: { tiles: { name: 'Tiles', eventType: 'tiles.served', aggregation: 'sum', value: 'count' } },
  sellers: {
    maps: {
      name: 'Ordnance & Overlay Ltd',
      address: { line1: '4 Explorer House', city: 'Southampton', postalCode: 'SO16 0AS', country: 'GB' },
      ids: [{ scheme: 'vat', id: 'GB123456789' }],
      taxRates: [{ code: 'vat', jurisdiction: 'GB', rate: '20' }],
      numbering: { prefix: 'OO-', timezone: 'Europe/London' },
    },
  },
  customers: {
    cartograph: {
      name: 'Cartograph Cycling Club',
      subjects: ['cartograph'],
      timezone: 'Europe/London',
      currency: 'GBP',
    },
  },
  plans: { explorer: [plan('1200', '500')], navigator: [plan('1800', '800')] },
  steps: [
    subscribe('2028-01-31T00:00:00Z', 'cartograph', 'maps', { plan: 'explorer' }),
    run('2028-01-31T02:30:00Z'),
    tiles('2028-02-10T10:00:00Z', '480001'),
    tiles('2028-02-28T23:59:59Z', '99600'),
    // The 29th begins the next month of the contract.
    tiles('2028-02-29T00:00:00Z', '100000'),
    run('2028-02-29T02:30:00Z'),
    tiles('2028-03-20T10:00:00Z', '512000'),
    change('2028-03-30T09:00:00Z', 'maps', {
      kind: 'change',
      at: time('2028-03-31T00:00:00+01:00'),
      plan: 'navigator',
    }),
    run('2028-03-31T02:30:00Z'),
    tiles('2028-04-20T10:00:00Z', '801000'),
    run('2028-04-30T02:30:00Z'),
  ],
  invoices: [
    {
      of: 'the licence of the first year',
      lines: ['fixed licence: 1,200 = 1,200.00'],
      taxes: ['vat GB 20%: 1,200 × 0.2 = 240.00'],
      total: '1,200 + 240 = 1,440.00',
    },
    {
      of: '31 January to 29 February: 579,601 tiles are 580 thousands begun, 500 of which are included',
      lines: ['usage tiles: (580 − 500) × 0.75 = 60.00'],
      taxes: ['vat GB 20%: 60 × 0.2 = 12.00'],
      total: '60 + 12 = 72.00',
    },
    {
      of: '29 February to 31 March: 612 thousands; and the larger licence for the rest of the year',
      lines: [
        'unused licence: 1,200 × 1,439 ÷ 8,784 − 1,200 = −1,003.42',
        'fixed licence: 1,800 × (8,784 − 1,439) ÷ 8,784 = 1,505.12',
        'usage tiles: (612 − 500) × 0.75 = 84.00',
      ],
      taxes: ['vat GB 20%: (−1,003.42 + 1,505.12 + 84) × 0.2 = 585.70 × 0.2 = 117.14'],
      total: '585.70 + 117.14 = 702.84',
    },
    {
      of: '31 March to 30 April: 801 thousands, of which 800 are included now',
      lines: ['usage tiles: (801 − 800) × 0.75 = 0.75'],
      taxes: ['vat GB 20%: 0.75 × 0.2 = 0.15'],
      total: '0.75 + 0.15 = 0.90',
    },
  ],
};
