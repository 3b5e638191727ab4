import { run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const checks = (at: string, count: string) => use('lantern', 'check.done', at, { count });

/**
 * A contract that was signed on 20 March and begins on 20 January: what was used since is there already, and each moment at which something was due
 * has its own invoice, all of them issued on the day of the run.
 */
export const contract: GoldenContract = {
  title: 'A start that lies two months back',
  startsAt: '2026-01-05T08:00:00Z',
  meters: { checks: { name: 'Checks', eventType: 'check.done', aggregation: 'sum', value: 'count' } },
  sellers: { beacon: { name: 'Beacon Monitoring SAS', numbering: { prefix: 'BM-' } } },
  customers: {
    lantern: {
      name: 'Lantern Éditions',
      subjects: ['lantern'],
      currency: 'EUR',
      taxRates: [{ code: 'vat', jurisdiction: 'FR', rate: '20' }],
    },
  },
  plans: {
    monitor: [
      {
        currencies: ['EUR'],
        phases: [
          {
            key: 'main',
            charges: [
              { key: 'fee', name: 'Monitoring', timing: 'inAdvance', price: { model: 'flat', amount: '30' } },
              {
                key: 'checks',
                name: 'Checks',
                meter: 'checks',
                quantity: { free: '310' },
                price: { model: 'perUnit', unitPrice: '0.02' },
              },
            ],
          },
        ],
      },
    ],
  },
  steps: [
    checks('2026-01-19T23:59:59Z', '5000'),
    checks('2026-01-25T10:00:00Z', '1120'),
    checks('2026-02-10T10:00:00Z', '2310'),
    checks('2026-03-05T10:00:00Z', '100'),
    subscribe('2026-03-20T09:00:00Z', 'lantern', 'monitor', {
      plan: 'monitor',
      anchor: 'calendar',
      startAt: time('2026-01-20T00:00:00Z'),
    }),
    run('2026-03-20T12:00:00Z'),
    checks('2026-03-22T10:00:00Z', '250'),
    run('2026-04-01T03:00:00Z'),
  ],
  invoices: [
    {
      of: '12 of 31 days of January',
      lines: ['fixed fee: 30 × 12 ÷ 31 = 11.61'],
      taxes: ['vat FR 20%: 11.61 × 0.2 = 2.32'],
      total: '11.61 + 2.32 = 13.93',
    },
    {
      of: 'checks of January, 12/31 of 310 of them free, and the fee of February',
      lines: ['usage checks: (1,120 − 310 × 12 ÷ 31) × 0.02 = 20.00', 'fixed fee: 30 = 30.00'],
      taxes: ['vat FR 20%: 50 × 0.2 = 10.00'],
      total: '50 + 10 = 60.00',
    },
    {
      of: 'checks of February and the fee of March',
      lines: ['usage checks: (2,310 − 310) × 0.02 = 40.00', 'fixed fee: 30 = 30.00'],
      taxes: ['vat FR 20%: 70 × 0.2 = 14.00'],
      total: '70 + 14 = 84.00',
    },
    {
      of: 'checks of March, before and after the contract was signed, and the fee of April',
      lines: ['usage checks: (100 + 250 − 310) × 0.02 = 0.80', 'fixed fee: 30 = 30.00'],
      taxes: ['vat FR 20%: 30.80 × 0.2 = 6.16'],
      total: '30.80 + 6.16 = 36.96',
    },
  ],
};
