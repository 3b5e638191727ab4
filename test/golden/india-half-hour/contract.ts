import { run, subscribe, use, type GoldenContract } from '../golden-contract.ts';

const sent = (at: string, count: string) => use('chai-point', 'sms.sent', at, { count });

/**
 * Calendar months half an hour beside the hours: in India August ends at 18:30 UTC. The contract begins on the 14th at half past three in the
 * afternoon, and the fee counts days: 18 of 31. Central and state tax are due on the same net amount.
 */
export const contract: GoldenContract = {
  title: 'A month in India, half an hour beside the hours',
  startsAt: '2026-08-14T08:00:00Z',
  meters: { sms: { name: 'Messages', eventType: 'sms.sent', aggregation: 'sum', value: 'count' } },
  sellers: {
    sandesh: {
      name: 'Sandesh Messaging Pvt. Ltd.',
      address: {
        line1: '14 MG Road',
        city: 'Bengaluru',
        region: 'Karnataka',
        postalCode: '560001',
        country: 'IN',
      },
      ids: [{ scheme: 'gstin', id: '29AABCS1429B1ZB' }],
      taxRates: [
        { code: 'cgst', jurisdiction: 'IN', rate: '9' },
        { code: 'sgst', jurisdiction: 'IN-KA', rate: '9' },
      ],
      numbering: { prefix: 'SM/', timezone: 'Asia/Kolkata' },
    },
  },
  customers: {
    chai: {
      name: 'चाय पॉइंट (Chai Point)',
      subjects: ['chai-point'],
      timezone: 'Asia/Kolkata',
      currency: 'INR',
      taxIds: [{ scheme: 'gstin', id: '29AAGCC4236P1ZA' }],
    },
  },
  plans: {
    bulk: [
      {
        currencies: ['INR'],
        phases: [
          {
            key: 'main',
            charges: [
              {
                key: 'platform',
                name: 'Platform',
                timing: 'inAdvance',
                proration: 'day',
                price: { model: 'flat', amount: '9000' },
              },
              {
                key: 'sms',
                name: 'Messages, a thousand',
                meter: 'sms',
                price: { model: 'package', size: '1000', price: '140' },
              },
            ],
          },
        ],
      },
    ],
  },
  steps: [
    subscribe('2026-08-14T10:00:00Z', 'chai', 'sms', { plan: 'bulk', anchor: 'calendar' }),
    run('2026-08-14T12:00:00Z'),
    sent('2026-08-20T10:00:00Z', '12400'),
    sent('2026-08-28T10:00:00Z', '2600'),
    // The last second of August in India, and the first of September.
    sent('2026-08-31T18:29:59Z', '1'),
    sent('2026-08-31T18:30:00Z', '70000'),
    run('2026-08-31T21:00:00Z'),
  ],
  invoices: [
    {
      of: 'the fee from 14 August',
      lines: ['fixed platform: 9,000 × 18 ÷ 31 = 5,225.81'],
      taxes: ['cgst IN 9%: 5,225.81 × 0.09 = 470.32', 'sgst IN-KA 9%: 5,225.81 × 0.09 = 470.32'],
      total: '5,225.81 + 470.32 + 470.32 = 6,166.45',
    },
    {
      of: '15,001 messages in August are 16 packages begun; and the fee of September',
      lines: ['usage sms: 16 × 140 = 2,240.00', 'fixed platform: 9,000 = 9,000.00'],
      taxes: ['cgst IN 9%: 11,240 × 0.09 = 1,011.60', 'sgst IN-KA 9%: 11,240 × 0.09 = 1,011.60'],
      total: '11,240 + 1,011.60 + 1,011.60 = 13,263.20',
    },
  ],
};
