import { run, subscribe, time, use, type GoldenContract } from '../golden-contract.ts';

const delivered = (at: string, count: string) => use('sakura', 'parcel.tracked', at, { count });

/** Yen have no minor unit, and prices have the consumption tax of 10 % in them: 10/110 of what lines come to. */
export const contract: GoldenContract = {
  title: 'Yen, with the tax in the price and a volume price',
  startsAt: '2026-03-30T03:00:00Z',
  meters: {
    parcels: { name: 'Parcels', eventType: 'parcel.tracked', aggregation: 'sum', value: 'count' },
  },
  sellers: {
    tracker: {
      name: '追跡株式会社',
      address: { line1: '千代田1-1', city: '東京', postalCode: '100-0001', country: 'JP' },
      ids: [{ scheme: 'registration', id: 'T1234567890123' }],
      prices: 'inclusive',
      taxRates: [{ code: 'consumption', jurisdiction: 'JP', rate: '10' }],
      numbering: { prefix: 'JP-', timezone: 'Asia/Tokyo' },
    },
  },
  customers: {
    sakura: {
      name: '株式会社さくら運輸',
      subjects: ['sakura'],
      timezone: 'Asia/Tokyo',
      currency: 'JPY',
      address: { line1: '中央区日本橋2丁目', city: '東京', postalCode: '103-0027', country: 'JP' },
    },
  },
  plans: {
    tracking: [
      {
        currencies: ['JPY'],
        phases: [
          {
            key: 'main',
            charges: [
              {
                key: 'base',
                name: '基本料金',
                timing: 'inAdvance',
                price: { model: 'flat', amount: '4980' },
              },
              {
                key: 'parcels',
                name: '追跡',
                meter: 'parcels',
                price: {
                  model: 'volume',
                  tiers: [
                    { upTo: '1000', unitPrice: '12' },
                    { upTo: '5000', unitPrice: '9.5' },
                    { upTo: null, unitPrice: '7' },
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
    subscribe('2026-03-30T03:10:00Z', 'sakura', 'tracking', {
      plan: 'tracking',
      anchor: 'calendar',
      startAt: time('2026-04-01T00:00:00+09:00'),
    }),
    run('2026-03-31T17:30:00Z'),
    delivered('2026-04-02T03:00:00Z', '1200'),
    delivered('2026-04-22T03:00:00Z', '2133'),
    run('2026-04-30T17:30:00Z'),
  ],
  invoices: [
    {
      of: 'the fee of April: 452.73 of it are tax',
      lines: ['fixed base: 4,980 = 4,980'],
      taxes: ['consumption JP 10%: 4,980 × 10 ÷ 110 = 453'],
      total: '4,980 = 4,980',
    },
    {
      of: '3,333 parcels, all at the price of the second tier: 31,663.5; and the fee of May',
      lines: ['usage parcels: 3,333 × 9.5 = 31,664', 'fixed base: 4,980 = 4,980'],
      taxes: ['consumption JP 10%: 36,644 × 10 ÷ 110 = 3,331'],
      total: '31,664 + 4,980 = 36,644',
    },
  ],
};
