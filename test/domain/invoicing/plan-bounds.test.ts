import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import type { ItemInputs } from '#domain/invoicing/invoice-inputs.ts';
import type { ChargeItem } from '#domain/subscriptions/billing-item.ts';
import {
  APRIL,
  MARCH,
  billedOf,
  boundOf,
  chargeOf,
  inputsOf,
  inputsOfItem,
  invoiceOf,
  itemOf,
  perUnit,
  quantity,
  span,
  subscriptionOf,
  used,
} from './invoice-builders.ts';
import { expectInvoice } from './recompute-invoice.ts';

describe('the bounds of a plan', () => {
  const usageOf = (amount: string, whole = APRIL): ItemInputs =>
    used(itemOf('usage', chargeOf('tokens', perUnit('1'), { meter: 'tokens' }), { whole }), quantity(amount));

  it('add what is missing to a minimum, which a ramp raises', () => {
    const first = invoiceOf([
      usageOf('60', MARCH),
      inputsOfItem(boundOf('minimum', '100', { whole: MARCH })),
    ]);
    expectInvoice(first, ['usage | tokens | 60', 'planMinimum | Minimum | 40'], '100');
    const second = invoiceOf([usageOf('250'), inputsOfItem(boundOf('minimum', '200'))]);
    expectInvoice(second, ['usage | tokens | 250'], '250');
  });

  it('share out a line between two bounds of one period by the part of its time that each has', () => {
    const early = boundOf('minimum', '100', { period: span('2026-04-01', '2026-04-16'), whole: APRIL });
    const late = boundOf('minimum', '200', { period: span('2026-04-16', '2026-05-01'), whole: APRIL });
    const made = invoiceOf([usageOf('90'), inputsOfItem(early), inputsOfItem(late)]);
    // 45 of 50, and 45 of 100.
    expectInvoice(
      made,
      ['usage | tokens | 90', 'planMinimum | Minimum | 5', 'planMinimum | Minimum | 55'],
      '150',
    );
  });

  it('take off what is over a maximum from what is taxed alike in proportion', () => {
    const taxed = chargeOf('seats', perUnit('10'), {
      taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }],
    });
    const seats = inputsOfItem(itemOf('fee', taxed, { segments: [{ seats: '3' }] }));
    const made = invoiceOf([usageOf('90'), seats, inputsOfItem(boundOf('maximum', '100'))]);
    // 20 over 120: 5 of 30 seats, 15 of 90 tokens; 19 percent of 25 are 4.75.
    expectInvoice(
      made,
      [
        'fixed | seats | 30',
        'usage | tokens | 90',
        'planMaximum | Maximum | -5',
        'planMaximum | Maximum | -15',
      ],
      '104.75',
    );
  });

  it('count a year of earlier invoices toward a commitment, and charge more for what goes beyond it', () => {
    const year = span('2025-05-01', '2026-05-01');
    const commitment = boundOf('minimum', '1200', { whole: year, overageFactor: '1.5' });
    const earlier = {
      item: 'tokens@earlier',
      kind: 'usage' as const,
      period: span('2025-05-01', '2026-04-01'),
      amount: '1100',
    };
    const made = buildInvoice(
      inputsOf([subscriptionOf([usageOf('200'), inputsOfItem(commitment)], { spentBefore: [earlier] })]),
    );
    // 100 beyond 1,200 cost half as much again.
    expectInvoice(made, ['usage | tokens | 200', 'planOverage | Beyond the minimum | 50'], '250');
    const lazy = buildInvoice(
      inputsOf([subscriptionOf([usageOf('10'), inputsOfItem(commitment)], { spentBefore: [earlier] })]),
    );
    expectInvoice(lazy, ['usage | tokens | 10', 'planMinimum | Minimum | 90'], '100');
  });

  it('count what shorter ones add and take off, and never go over a maximum', () => {
    const both = invoiceOf([
      usageOf('300'),
      inputsOfItem(boundOf('minimum', '100', { overageFactor: '2' })),
      inputsOfItem(boundOf('maximum', '350')),
    ]);
    expectInvoice(
      both,
      ['usage | tokens | 300', 'planOverage | Beyond the minimum | 200', 'planMaximum | Maximum | -150'],
      '350',
    );
  });

  it('are billed again less what they were billed when a charge in their period changes later', () => {
    const bound = boundOf('minimum', '100');
    const first = invoiceOf([usageOf('60'), inputsOfItem(bound)]);
    const { item } = usageOf('60');
    const more = invoiceOf([
      used(item as ChargeItem, quantity(75), { billed: billedOf(item.id, first) }),
      inputsOfItem(bound, { billed: billedOf(bound.id, first) }),
    ]);
    expectInvoice(
      more,
      [
        'usage | tokens | 75',
        'billedBefore | tokens, billed before | -60',
        'planMinimum | Minimum | 25',
        'billedBefore | Minimum, billed before | -40',
      ],
      '0',
    );
  });
});
