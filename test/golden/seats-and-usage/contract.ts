import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import { change, run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const plan = (seat: string, tiers: { upTo: string | null; unitPrice: string }[]): PlanVersionDefinition => ({
  currencies: ['USD'],
  family: 'workspace',
  phases: [
    {
      key: 'main',
      charges: [
        { key: 'seats', name: 'Seats', timing: 'inAdvance', price: { model: 'perUnit', unitPrice: seat } },
        {
          key: 'runs',
          name: 'Automation runs',
          meter: 'runs',
          onChange: 'continue',
          price: { model: 'graduated', tiers },
        },
      ],
    },
  ],
});

const runs = (at: string, count: string) => use('harbor', 'automation.run', at, { count });

/**
 * Seats in advance and usage in arrears, in New York, where March 2026 has an hour less (743) since summer time begins on the 8th. Four seats
 * more from the 11th on, then an upgrade on the 21st: 10 days less an hour, 10 days and 11 days are 239, 240 and 264 hours.
 */
export const contract: GoldenContract = {
  title: 'A seat-plus-usage SaaS with an upgrade in the middle of a month',
  startsAt: '2026-02-27T15:00:00Z',
  meters: { runs: { name: 'Runs', eventType: 'automation.run', aggregation: 'sum', value: 'count' } },
  sellers: {
    workspace: {
      name: 'Workspace Works Inc.',
      address: {
        line1: '88 Greene Street',
        line2: 'Suite 4',
        city: 'New York',
        region: 'NY',
        postalCode: '10012',
        country: 'US',
      },
      taxRates: [
        { code: 'state', jurisdiction: 'US-NY', rate: '4' },
        { code: 'city', jurisdiction: 'US-NY-NYC', rate: '4.875' },
      ],
      numbering: { prefix: 'WW-', timezone: 'America/New_York' },
    },
  },
  customers: {
    harbor: {
      name: 'Harbor & Finch LLC',
      subjects: ['harbor'],
      timezone: 'America/New_York',
      currency: 'USD',
      email: 'ap@harborfinch.example',
      address: {
        line1: '12 Front Street',
        city: 'Brooklyn',
        region: 'NY',
        postalCode: '11201',
        country: 'US',
      },
      netTermDays: 10,
    },
  },
  plans: {
    team: [
      plan('12', [
        { upTo: '10000', unitPrice: '0' },
        { upTo: null, unitPrice: '0.002' },
      ]),
    ],
    business: [
      plan('20', [
        { upTo: '10000', unitPrice: '0' },
        { upTo: '100000', unitPrice: '0.0015' },
        { upTo: null, unitPrice: '0.001' },
      ]),
    ],
  },
  steps: [
    subscribe('2026-02-27T15:10:00Z', 'harbor', 'workspace', {
      plan: 'team',
      anchor: 'calendar',
      startAt: time('2026-03-01T00:00:00-05:00'),
      quantities: { seats: '10' },
    }),
    run('2026-03-01T07:10:00Z'),
    runs('2026-03-04T14:00:00Z', '25000'),
    change('2026-03-10T16:00:00Z', 'workspace', {
      kind: 'change',
      at: time('2026-03-11T00:00:00-04:00'),
      quantities: { seats: '14' },
    }),
    runs('2026-03-18T14:00:00Z', '15000'),
    change('2026-03-21T04:00:00Z', 'workspace', { kind: 'change', at: 'now', plan: 'business' }),
    runs('2026-03-21T04:00:00Z', '5000'),
    runs('2026-03-27T09:00:00Z', '75000'),
    run('2026-04-01T06:30:00Z'),
  ],
  invoices: [
    {
      of: 'seats of March',
      lines: ['fixed seats: 10 × 12 = 120.00'],
      taxes: ['state US-NY 4%: 120 × 0.04 = 4.80', 'city US-NY-NYC 4.875%: 120 × 0.04875 = 5.85'],
      total: '120 + 4.80 + 5.85 = 130.65',
    },
    {
      of: 'usage of March, what changed in it, and seats of April',
      lines: [
        // 10,000 are free and 30,000 cost 0.002; after the upgrade 60,000 are left below 100,000, and 20,000 are beyond.
        'usage runs: 10,000 × 0 + 30,000 × 0.002 = 60.00',
        'usage runs: 60,000 × 0.0015 + 20,000 × 0.001 = 90 + 20 = 110.00',
        'unused seats: 10 × 12 × 239 ÷ 743 − 120 = −81.40',
        'fixed seats: 14 × 12 × 240 ÷ 743 = 54.27',
        'fixed seats: 14 × 20 × 264 ÷ 743 = 99.49',
        'fixed seats: 14 × 20 = 280.00',
      ],
      taxes: [
        'state US-NY 4%: (60 + 110 − 81.40 + 54.27 + 99.49 + 280) × 0.04 = 522.36 × 0.04 = 20.89',
        'city US-NY-NYC 4.875%: 522.36 × 0.04875 = 25.47',
      ],
      total: '522.36 + 20.89 + 25.47 = 568.72',
    },
  ],
};
