import type { PlanCharge } from '#domain/plans/plan-version.ts';
import { run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const compute: PlanCharge = {
  key: 'compute',
  name: 'Compute hours',
  meter: 'compute',
  price: { model: 'perUnit', unitPrice: '2.5' },
};
const support: PlanCharge = {
  key: 'support',
  name: 'Premium support',
  timing: 'inArrears',
  price: { model: 'flat', amount: '400' },
};
const charges = [compute, support];

const hours = (at: string, count: string) => use('meridian', 'compute.hours', at, { hours: count });

/**
 * A commitment that grows: at least 1,000 in the first month, 2,500 in the second, 5,000 from then on, and what goes beyond the last one costs
 * a quarter more. Usage and the fee count toward it alike.
 */
export const contract: GoldenContract = {
  title: 'An enterprise commitment that ramps up, with an overage factor',
  startsAt: '2026-06-29T08:00:00Z',
  meters: { compute: { name: 'Compute', eventType: 'compute.hours', aggregation: 'sum', value: 'hours' } },
  sellers: {
    meridian: {
      name: 'Stratus Compute Ltd',
      address: { line1: '1 Harbourmaster Place', city: 'Dublin', postalCode: 'D01 X0A2', country: 'IE' },
      ids: [{ scheme: 'vat', id: 'IE6388047V' }],
      taxRates: [{ code: 'vat', jurisdiction: 'IE', rate: '23' }],
      netTermDays: 60,
      numbering: { prefix: 'SC-', timezone: 'Europe/Dublin' },
    },
  },
  customers: {
    meridian: {
      name: 'Meridian Insurance Group plc',
      subjects: ['meridian'],
      timezone: 'Europe/Dublin',
      currency: 'EUR',
      purchaseOrder: '4500098765',
    },
  },
  plans: {
    enterprise: [
      {
        currencies: ['EUR'],
        phases: [
          { key: 'ramp-1', duration: 'P1M', charges, minimum: { amount: { EUR: '1000' } } },
          { key: 'ramp-2', duration: 'P1M', charges, minimum: { amount: { EUR: '2500' } } },
          { key: 'steady', charges, minimum: { amount: { EUR: '5000' }, overageFactor: '1.25' } },
        ],
      },
    ],
  },
  steps: [
    subscribe('2026-06-29T08:10:00Z', 'meridian', 'commitment', {
      plan: 'enterprise',
      anchor: 'calendar',
      startAt: time('2026-07-01T00:00:00+01:00'),
    }),
    hours('2026-07-10T08:00:00Z', '120.5'),
    run('2026-08-01T01:00:00Z'),
    hours('2026-08-10T08:00:00Z', '900'),
    run('2026-09-01T01:00:00Z'),
    hours('2026-09-10T08:00:00Z', '1333.333'),
    hours('2026-09-11T08:00:00Z', '1000'),
    run('2026-10-01T01:00:00Z'),
    run('2026-11-01T02:00:00Z'),
  ],
  invoices: [
    {
      of: 'July: 701.25 of 1,000',
      lines: [
        'usage compute: 120.5 × 2.5 = 301.25',
        'fixed support: 400 = 400.00',
        'planMinimum: 1,000 − (301.25 + 400) = 298.75',
      ],
      taxes: ['vat IE 23%: 1,000 × 0.23 = 230.00'],
      total: '1,000 + 230 = 1,230.00',
    },
    {
      of: 'August: 2,650 is over 2,500, and there is no factor yet',
      lines: ['usage compute: 900 × 2.5 = 2,250.00', 'fixed support: 400 = 400.00'],
      taxes: ['vat IE 23%: 2,650 × 0.23 = 609.50'],
      total: '2,650 + 609.50 = 3,259.50',
    },
    {
      of: 'September: 6,233.33 is 1,233.33 over 5,000, a quarter of which comes on top',
      lines: [
        'usage compute: (1,333.333 + 1,000) × 2.5 = 5,833.33',
        'fixed support: 400 = 400.00',
        'planOverage: (5,833.33 + 400 − 5,000) × 0.25 = 1,233.33 × 0.25 = 308.33',
      ],
      taxes: ['vat IE 23%: (5,833.33 + 400 + 308.33) × 0.23 = 6,541.66 × 0.23 = 1,504.58'],
      total: '6,541.66 + 1,504.58 = 8,046.24',
    },
    {
      of: 'October, without any usage',
      lines: [
        'usage compute: 0 × 2.5 = 0',
        'fixed support: 400 = 400.00',
        'planMinimum: 5,000 − 400 = 4,600.00',
      ],
      taxes: ['vat IE 23%: 5,000 × 0.23 = 1,150.00'],
      total: '5,000 + 1,150 = 6,150.00',
    },
  ],
};
