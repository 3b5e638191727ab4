import type { GoldenContract } from '../golden-contract.ts';
import { run, subscribe, time, use } from '../golden-contract.ts';

const tokens = (at: string, model: string, kind: string, count: string) =>
  use('nova-prod', 'llm.completion', at, { model, kind, tokens: count });

/**
 * A language model API: each token costs what its model and kind say. Cached input tokens cost a tenth of those that are not; a kind that the
 * price list does not know costs the default. The sum meter groups by both dimensions, so each group is a line.
 */
export const contract: GoldenContract = {
  title: 'An LLM API with cached-token discounts by dimension',
  startsAt: '2026-02-26T09:00:00Z',
  meters: {
    tokens: {
      name: 'Tokens',
      eventType: 'llm.completion',
      aggregation: 'sum',
      value: 'tokens',
      dimensions: { model: 'model', kind: 'kind' },
    },
  },
  sellers: {
    lumen: {
      name: 'Lumen Inference GmbH',
      address: { line1: 'Torstraße 140', city: 'Berlin', postalCode: '10119', country: 'DE' },
      ids: [{ scheme: 'vat', id: 'DE301234567' }],
      email: 'billing@lumen.example',
      taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }],
      netTermDays: 14,
      paymentInstructions: 'IBAN DE02 1203 0000 0000 2020 51\nBIC BYLADEM1001',
      numbering: { prefix: 'LUM-', timezone: 'Europe/Berlin' },
    },
  },
  customers: {
    nova: {
      name: 'Nova Assistants AG',
      subjects: ['nova-prod', 'nova-staging'],
      timezone: 'Europe/Berlin',
      currency: 'EUR',
      address: { line1: 'Kaiserstraße 44', city: 'Frankfurt am Main', postalCode: '60329', country: 'DE' },
      taxIds: [{ scheme: 'vat', id: 'DE298765432' }],
      purchaseOrder: 'PO-2026-0117',
    },
  },
  plans: {
    inference: [
      {
        currencies: ['EUR'],
        phases: [
          {
            key: 'main',
            charges: [
              {
                key: 'tokens',
                name: 'Tokens',
                meter: 'tokens',
                quantity: { divideBy: '1000' },
                price: {
                  model: 'matrix',
                  dimensions: ['model', 'kind'],
                  cells: [
                    { match: { model: 'lumen-large', kind: 'input' }, unitPrice: '0.003' },
                    { match: { model: 'lumen-large', kind: 'cached' }, unitPrice: '0.0003' },
                    { match: { model: 'lumen-large', kind: 'output' }, unitPrice: '0.015' },
                    { match: { model: 'lumen-small', kind: 'input' }, unitPrice: '0.00025' },
                    { match: { model: 'lumen-small', kind: 'cached' }, unitPrice: '0.000025' },
                    { match: { model: 'lumen-small', kind: 'output' }, unitPrice: '0.00125' },
                  ],
                  defaultUnitPrice: '0.02',
                },
              },
            ],
          },
        ],
      },
    ],
  },
  steps: [
    subscribe('2026-02-26T09:30:00Z', 'nova', 'inference', {
      plan: 'inference',
      anchor: 'calendar',
      startAt: time('2026-02-28T23:00:00Z'),
    }),
    // A minute before March begins in Berlin: nobody's.
    tokens('2026-02-28T22:59:59Z', 'lumen-large', 'output', '777777'),
    tokens('2026-02-28T23:00:00Z', 'lumen-large', 'input', '1250000'),
    tokens('2026-03-02T10:00:00Z', 'lumen-large', 'input', '2750000'),
    tokens('2026-03-02T10:00:01Z', 'lumen-large', 'cached', '11500000'),
    tokens('2026-03-09T15:20:00Z', 'lumen-large', 'output', '845500'),
    use('nova-staging', 'llm.completion', '2026-03-14T08:00:00Z', {
      model: 'lumen-small',
      kind: 'input',
      tokens: '900000',
    }),
    tokens('2026-03-20T12:00:00Z', 'lumen-small', 'output', '333333'),
    tokens('2026-03-29T03:30:00Z', 'lumen-small', 'cached', '64000000'),
    tokens('2026-03-30T03:30:00Z', 'lumen-large', 'reasoning', '125000'),
    // The last second of March in Berlin, which is on summer time by then, and the first of April.
    tokens('2026-03-31T21:59:59Z', 'lumen-large', 'output', '154500'),
    tokens('2026-03-31T22:00:00Z', 'lumen-large', 'output', '40000'),
    run('2026-04-01T01:00:00Z'),
    tokens('2026-04-15T06:00:00Z', 'lumen-small', 'input', '8000'),
    run('2026-05-01T01:00:00Z'),
  ],
  invoices: [
    {
      of: 'March',
      lines: [
        'usage tokens kind=cached model=lumen-large: 11,500,000 ÷ 1,000 × 0.0003 = 3.45',
        'usage tokens kind=cached model=lumen-small: 64,000,000 ÷ 1,000 × 0.000025 = 1.60',
        'usage tokens kind=input model=lumen-large: (1,250,000 + 2,750,000) ÷ 1,000 × 0.003 = 12.00',
        'usage tokens kind=input model=lumen-small: 900,000 ÷ 1,000 × 0.00025 = 0.225 = 0.23',
        'usage tokens kind=output model=lumen-large: (845,500 + 154,500) ÷ 1,000 × 0.015 = 15.00',
        'usage tokens kind=output model=lumen-small: 333,333 ÷ 1,000 × 0.00125 = 0.41666625 = 0.42',
        'usage tokens kind=reasoning model=lumen-large: 125,000 ÷ 1,000 × 0.02 = 2.50',
      ],
      taxes: ['vat DE 19%: (3.45 + 1.6 + 12 + 0.23 + 15 + 0.42 + 2.5) × 0.19 = 35.20 × 0.19 = 6.688 = 6.69'],
      total: '35.20 + 6.69 = 41.89',
    },
    {
      of: 'April',
      lines: [
        'usage tokens kind=input model=lumen-small: 8,000 ÷ 1,000 × 0.00025 = 0.002 = 0.00',
        'usage tokens kind=output model=lumen-large: 40,000 ÷ 1,000 × 0.015 = 0.60',
      ],
      taxes: ['vat DE 19%: 0.60 × 0.19 = 0.114 = 0.11'],
      total: '0.60 + 0.11 = 0.71',
    },
  ],
};
