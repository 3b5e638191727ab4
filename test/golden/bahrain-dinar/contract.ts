import { run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const calls = (at: string, minutes: string) => use('khaleej', 'call.ended', at, { minutes });

/** Dinars have three decimals, and this contract has weeks, which begin on Sunday. */
export const contract: GoldenContract = {
  title: 'Dinars of three decimals, by the week',
  startsAt: '2026-10-30T09:00:00Z',
  meters: { minutes: { name: 'Minutes', eventType: 'call.ended', aggregation: 'sum', value: 'minutes' } },
  sellers: {
    batel: {
      name: 'Batel Voice W.L.L.',
      address: { line1: 'Building 12, Road 1705', city: 'Manama', postalCode: '317', country: 'BH' },
      ids: [{ scheme: 'vat', id: '200000000900002' }],
      taxRates: [{ code: 'vat', jurisdiction: 'BH', rate: '10' }],
      netTermDays: 7,
      numbering: { prefix: 'BV-', timezone: 'Asia/Bahrain' },
    },
  },
  customers: {
    khaleej: {
      name: 'شركة الخليج للاتصالات',
      subjects: ['khaleej'],
      timezone: 'Asia/Bahrain',
      currency: 'BHD',
      address: { line1: 'شارع المعارض 44', city: 'المنامة', country: 'BH' },
    },
  },
  plans: {
    voice: [
      {
        currencies: ['BHD'],
        phases: [
          {
            key: 'main',
            charges: [
              {
                key: 'line',
                name: 'خط هاتف',
                cadence: 'P1W',
                timing: 'inAdvance',
                price: { model: 'perUnit', unitPrice: '1.125' },
              },
              {
                key: 'minutes',
                name: 'Minutes',
                meter: 'minutes',
                cadence: 'P1W',
                price: { model: 'perUnit', unitPrice: '0.0025' },
              },
            ],
          },
        ],
      },
    ],
  },
  steps: [
    subscribe('2026-10-30T09:10:00Z', 'khaleej', 'voice', {
      plan: 'voice',
      anchor: { weekday: 7 },
      startAt: time('2026-11-01T00:00:00+03:00'),
      quantities: { line: '3' },
    }),
    run('2026-10-31T23:30:00Z'),
    calls('2026-11-03T08:00:00Z', '12000.5'),
    calls('2026-11-07T20:59:59Z', '344.5'),
    calls('2026-11-07T21:00:00Z', '10'),
    run('2026-11-07T23:30:00Z'),
  ],
  invoices: [
    {
      of: 'three lines of the first week',
      lines: ['fixed line: 3 × 1.125 = 3.375'],
      taxes: ['vat BH 10%: 3.375 × 0.1 = 0.3375 = 0.338'],
      total: '3.375 + 0.338 = 3.713',
    },
    {
      of: '12,345 minutes of the first week, and three lines of the second',
      lines: [
        'usage minutes: (12,000.5 + 344.5) × 0.0025 = 30.8625 = 30.863',
        'fixed line: 3 × 1.125 = 3.375',
      ],
      taxes: ['vat BH 10%: (30.863 + 3.375) × 0.1 = 3.4238 = 3.424'],
      total: '34.238 + 3.424 = 37.662',
    },
  ],
};
