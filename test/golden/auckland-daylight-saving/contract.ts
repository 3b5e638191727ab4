import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import { change, run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const plan = (fee: string, unitPrice: string): PlanVersionDefinition => ({
  currencies: ['NZD'],
  family: 'rides',
  phases: [
    {
      key: 'main',
      charges: [
        { key: 'fee', name: 'Dispatch', timing: 'inAdvance', price: { model: 'flat', amount: fee } },
        { key: 'rides', name: 'Rides', meter: 'rides', price: { model: 'perUnit', unitPrice } },
      ],
    },
  ],
});

const ride = (at: string) => use('kiwi-cabs', 'ride.ended', at);

/**
 * Months from the 15th in Auckland. The plan changes on 31 March at local midnight, and summer time ends on 5 April: the month has 31 days and an
 * hour, 745 hours, of which 16 days, 384 hours, are on the old plan and 361 on the new one.
 */
export const contract: GoldenContract = {
  title: 'A plan change on day 31 across the end of summer time in Auckland',
  startsAt: '2026-03-12T00:00:00Z',
  meters: { rides: { name: 'Rides', eventType: 'ride.ended', aggregation: 'count' } },
  sellers: {
    dispatch: {
      name: 'Dispatch Aotearoa Ltd',
      address: { line1: '21 Queen Street', city: 'Auckland', postalCode: '1010', country: 'NZ' },
      taxRates: [{ code: 'gst', jurisdiction: 'NZ', rate: '15' }],
      netTermDays: 20,
      numbering: { prefix: 'DA-', timezone: 'Pacific/Auckland' },
    },
  },
  customers: {
    kiwi: {
      name: 'Kiwi Cabs Ōtautahi',
      subjects: ['kiwi-cabs'],
      timezone: 'Pacific/Auckland',
      currency: 'NZD',
      address: { line1: '3 Cathedral Square', city: 'Christchurch', postalCode: '8011', country: 'NZ' },
    },
  },
  plans: { city: [plan('149', '0.35')], metro: [plan('249', '0.25')] },
  steps: [
    subscribe('2026-03-12T00:10:00Z', 'kiwi', 'dispatch', {
      plan: 'city',
      anchor: { day: 15 },
      startAt: time('2026-03-15T00:00:00+13:00'),
    }),
    // A second before the month begins, and its first.
    ride('2026-03-14T10:59:59Z'),
    ride('2026-03-14T11:00:00Z'),
    run('2026-03-14T14:00:00Z'),
    ride('2026-03-20T02:00:00Z'),
    // The last second of 30 March in Auckland, and the first of the 31st.
    ride('2026-03-30T10:59:59Z'),
    change('2026-03-30T11:00:00Z', 'dispatch', {
      kind: 'change',
      at: time('2026-03-31T00:00:00+13:00'),
      plan: 'metro',
    }),
    ride('2026-03-30T11:00:00Z'),
    // 02:30 comes twice on 5 April.
    ride('2026-04-04T13:30:00Z'),
    ride('2026-04-04T14:30:00Z'),
    // The last second of the month, at +12:00 by now, and the first of the next.
    ride('2026-04-14T11:59:59Z'),
    ride('2026-04-14T12:00:00Z'),
    run('2026-04-14T15:00:00Z'),
  ],
  invoices: [
    {
      of: 'the fee from 15 March',
      lines: ['fixed fee: 149 = 149.00'],
      taxes: ['gst NZ 15%: 149 × 0.15 = 22.35'],
      total: '149 + 22.35 = 171.35',
    },
    {
      of: 'rides of the month, three on the old plan and four on the new one; the change of the fee; and the fee from 15 April',
      lines: [
        'unused fee: 149 × 384 ÷ 745 − 149 = −72.20',
        'fixed fee: 249 × 361 ÷ 745 = 120.66',
        'usage rides: 3 × 0.35 = 1.05',
        'usage rides: 4 × 0.25 = 1.00',
        'fixed fee: 249 = 249.00',
      ],
      taxes: ['gst NZ 15%: (−72.20 + 120.66 + 1.05 + 1 + 249) × 0.15 = 299.51 × 0.15 = 44.93'],
      total: '299.51 + 44.93 = 344.44',
    },
  ],
};
