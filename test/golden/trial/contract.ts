import { run, subscribe, use, type GoldenContract } from '../golden-contract.ts';

const messages = (at: string, count: string) => use('pixel', 'message.sent', at, { count });

/**
 * Two weeks for nothing, then a fee and usage. Periods are counted from the start of the trial, 3 March at 10:00, so the first fee is for 17 of 31
 * days. Messages of the trial cost nothing, but are on the invoice with their events.
 */
export const contract: GoldenContract = {
  title: 'A trial that converts',
  startsAt: '2026-03-02T08:00:00Z',
  meters: { messages: { name: 'Messages', eventType: 'message.sent', aggregation: 'sum', value: 'count' } },
  customers: { pixel: { name: 'Pixel Pottery', subjects: ['pixel'], currency: 'CHF', taxRates: [] } },
  plans: {
    messenger: [
      {
        currencies: ['CHF'],
        phases: [
          {
            key: 'trial',
            name: 'Trial',
            duration: 'P14D',
            charges: [
              {
                key: 'messages',
                name: 'Messages',
                meter: 'messages',
                onChange: 'restart',
                price: { model: 'perUnit', unitPrice: '0' },
              },
            ],
          },
          {
            key: 'paid',
            charges: [
              { key: 'fee', name: 'Messenger', timing: 'inAdvance', price: { model: 'flat', amount: '31' } },
              {
                key: 'messages',
                name: 'Messages',
                meter: 'messages',
                onChange: 'restart',
                price: { model: 'package', size: '100', price: '1.50' },
              },
            ],
          },
        ],
      },
    ],
  },
  steps: [
    subscribe('2026-03-03T10:00:00Z', 'pixel', 'messenger', { plan: 'messenger' }),
    run('2026-03-03T13:00:00Z'),
    messages('2026-03-05T10:00:00Z', '950'),
    messages('2026-03-17T09:59:59Z', '50'),
    messages('2026-03-17T10:00:00Z', '1'),
    run('2026-03-17T13:00:00Z'),
    messages('2026-03-30T10:00:00Z', '200'),
    run('2026-04-03T13:00:00Z'),
  ],
  invoices: [
    {
      of: 'the trial is over: 17 of 31 days of the fee',
      lines: ['fixed fee: 31 × 17 ÷ 31 = 17.00'],
      total: '17.00 = 17.00',
    },
    {
      of: 'the first month: 1,000 messages for nothing, 201 are three packages; and the fee of the second month',
      lines: ['usage messages: 1,000 × 0 = 0.00', 'usage messages: 3 × 1.50 = 4.50', 'fixed fee: 31 = 31.00'],
      total: '4.50 + 31 = 35.50',
    },
  ],
};
