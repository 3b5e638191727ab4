import { run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

/**
 * Prices for consumers have the tax in them: 22 % of the net is 22/122 of what is paid, and books have 4 %. Each rate is rounded once over all its
 * lines.
 */
export const contract: GoldenContract = {
  title: 'Prices with two taxes in them',
  startsAt: '2026-05-30T08:00:00Z',
  meters: { minutes: { name: 'Minutes', eventType: 'stream.ended', aggregation: 'sum', value: 'minutes' } },
  sellers: {
    libreria: {
      name: 'Libreria Sonora S.r.l.',
      address: { line1: 'Via Garibaldi 9', city: 'Torino', region: 'TO', postalCode: '10122', country: 'IT' },
      ids: [{ scheme: 'vat', id: 'IT01234567890' }],
      prices: 'inclusive',
      taxRates: [{ code: 'vat', jurisdiction: 'IT', rate: '22' }],
      netTermDays: 0,
      numbering: { prefix: 'LS-', timezone: 'Europe/Rome' },
    },
  },
  customers: {
    elena: { name: 'Elena Ferri', subjects: ['elena'], timezone: 'Europe/Rome', currency: 'EUR' },
  },
  plans: {
    listener: [
      {
        currencies: ['EUR'],
        phases: [
          {
            key: 'main',
            charges: [
              {
                key: 'books',
                name: 'A book each month',
                timing: 'inAdvance',
                price: { model: 'flat', amount: '4.99' },
                taxRates: [{ code: 'vat', jurisdiction: 'IT', rate: '4' }],
              },
              {
                key: 'minutes',
                name: 'Streamed minutes',
                meter: 'minutes',
                price: { model: 'perUnit', unitPrice: '0.013' },
              },
              { key: 'music', name: 'Music', timing: 'inAdvance', price: { model: 'flat', amount: '9.99' } },
            ],
          },
        ],
      },
    ],
  },
  steps: [
    subscribe('2026-05-30T08:10:00Z', 'elena', 'listener', {
      plan: 'listener',
      anchor: 'calendar',
      startAt: time('2026-06-01T00:00:00+02:00'),
    }),
    run('2026-06-01T01:00:00Z'),
    use('elena', 'stream.ended', '2026-06-11T19:00:00Z', { minutes: '254' }),
    run('2026-07-01T01:00:00Z'),
  ],
  invoices: [
    {
      of: 'June in advance: 14.98, of which 1.99 are tax',
      lines: ['fixed books: 4.99 = 4.99', 'fixed music: 9.99 = 9.99'],
      taxes: ['vat IT 4%: 4.99 × 4 ÷ 104 = 0.19', 'vat IT 22%: 9.99 × 22 ÷ 122 = 1.80'],
      total: '4.99 + 9.99 = 14.98',
    },
    {
      of: 'minutes of June, and July in advance',
      lines: ['usage minutes: 254 × 0.013 = 3.30', 'fixed books: 4.99 = 4.99', 'fixed music: 9.99 = 9.99'],
      taxes: ['vat IT 22%: (3.30 + 9.99) × 22 ÷ 122 = 2.40', 'vat IT 4%: 4.99 × 4 ÷ 104 = 0.19'],
      total: '3.30 + 4.99 + 9.99 = 18.28',
    },
  ],
};
