import { change, run, subscribe, time, type GoldenContract } from '../golden-contract.ts';

/**
 * A base fee with a discount that was agreed on, a fee for setting it up, and add-ons. Of the packs, three are taken from the start and five
 * from 11 April on; the single sign-on is given up on the 16th. April has 30 days.
 */
export const contract: GoldenContract = {
  title: 'Add-ons, a fee that is due once, and a discount for one customer',
  startsAt: '2026-03-30T08:00:00Z',
  sellers: {
    forms: {
      name: 'Formulaire & Cie SA',
      taxRates: [{ code: 'vat', jurisdiction: 'BE', rate: '21' }],
      numbering: { prefix: 'FC-', timezone: 'Europe/Brussels' },
      paymentInstructions: 'IBAN BE68 5390 0754 7034\nBitte die Rechnungsnummer angeben',
    },
  },
  customers: { quill: { name: 'Quill Notaries', currency: 'EUR', netTermDays: 0 } },
  plans: {
    forms: [
      {
        currencies: ['EUR'],
        phases: [
          {
            key: 'main',
            charges: [
              { key: 'base', name: 'Forms', timing: 'inAdvance', price: { model: 'flat', amount: '50' } },
              { key: 'setup', name: 'Setting up', cadence: 'once', price: { model: 'flat', amount: '99' } },
            ],
          },
        ],
        addOns: [
          {
            key: 'sso',
            name: 'Single sign-on',
            charges: [
              {
                key: 'sso',
                name: 'Single sign-on',
                timing: 'inAdvance',
                price: { model: 'flat', amount: '10' },
              },
            ],
          },
          {
            key: 'pack',
            name: 'Thousand forms',
            charges: [
              {
                key: 'pack',
                name: 'Thousand forms',
                timing: 'inAdvance',
                price: { model: 'perUnit', unitPrice: '5' },
              },
            ],
          },
        ],
      },
    ],
  },
  steps: [
    subscribe('2026-03-30T08:10:00Z', 'quill', 'forms', {
      plan: 'forms',
      anchor: 'calendar',
      startAt: time('2026-04-01T00:00:00Z'),
      addOns: { sso: '1', pack: '3' },
      overrides: { base: { discount: { percent: '20' } } },
    }),
    run('2026-04-01T03:00:00Z'),
    change('2026-04-10T12:00:00Z', 'forms', {
      kind: 'change',
      at: time('2026-04-11T00:00:00Z'),
      addOns: { pack: '5' },
    }),
    change('2026-04-14T12:00:00Z', 'forms', {
      kind: 'change',
      at: time('2026-04-16T00:00:00Z'),
      addOns: { sso: null },
    }),
    run('2026-05-01T03:00:00Z'),
  ],
  invoices: [
    {
      of: 'the start',
      lines: [
        'fixed base: 50 = 50.00',
        'discount base: −50 × 0.2 = −10.00',
        'fixed pack: 3 × 5 = 15.00',
        'fixed setup: 99 = 99.00',
        'fixed sso: 10 = 10.00',
      ],
      taxes: ['vat BE 21%: (50 − 10 + 15 + 99 + 10) × 0.21 = 164 × 0.21 = 34.44'],
      total: '164 + 34.44 = 198.44',
    },
    {
      of: 'what changed in April, and May',
      lines: [
        'unused pack: 3 × 5 × 10 ÷ 30 − 15 = −10.00',
        'fixed pack: 5 × 5 × 20 ÷ 30 = 16.67',
        'unused sso: 10 × 15 ÷ 30 − 10 = −5.00',
        'fixed base: 50 = 50.00',
        'discount base: −50 × 0.2 = −10.00',
        'fixed pack: 5 × 5 = 25.00',
      ],
      taxes: ['vat BE 21%: (−10 + 16.67 − 5 + 50 − 10 + 25) × 0.21 = 66.67 × 0.21 = 14.00'],
      total: '66.67 + 14.00 = 80.67',
    },
  ],
};
