import { expect } from 'chai';
import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import { dueItems, type BilledItem, type BilledSoFar } from '#domain/invoicing/due-items.ts';
import type { BilledLine } from '#domain/invoicing/invoice-inputs.ts';
import { plannedInvoices, type DueSubscription } from '#domain/invoicing/planned-invoices.ts';
import type { BillingItem } from '#domain/subscriptions/billing-item.ts';

/** Days stand for moments: a fee of day `from` to `to`, due at its beginning. */
const day = (number: number): Instant => number * MICROS_PER_DAY;

const fee = (from: number, to: number, unitPrice = '1'): BillingItem => {
  const price = { model: 'perUnit', unitPrice } as const;
  const window = { from: day(from), to: day(to) };
  const charge = { key: 'fee', timing: 'inAdvance', price } as const;
  return {
    kind: 'fee',
    id: `fee@${from}`,
    charge: 'fee',
    period: { ...window, period: window, stub: null },
    segments: [{ ...window, plan: 'pro', version: 1, charge, price, seats: '1' }],
    dueAt: day(from),
  };
};

const bound = (from: number, to: number): BillingItem => ({
  kind: 'minimum',
  id: `minimum@${from}`,
  period: { from: day(from), to: day(to), period: { from: day(from), to: day(to) }, stub: null },
  amount: '10',
  overageFactor: null,
  dueAt: day(to),
});

const hashOf = (item: BillingItem): string => JSON.stringify(item);

const billed = (item: BillingItem, amount = '1'): BilledItem => {
  const { from, to } = item.period;
  const line: BilledLine = {
    invoice: 'i-1',
    line: '1',
    kind: 'fixed',
    charge: 'fee',
    plan: 'pro',
    planVersion: 1,
    description: 'fee',
    period: { from, to },
    quantity: '1',
    unitPrice: amount,
    amount,
    taxes: [],
  };
  return {
    id: item.id,
    kind: item.kind,
    period: { from, to },
    through: to,
    itemHash: hashOf(item),
    lines: [line],
  };
};

const soFar = (
  items: readonly BilledItem[],
  settledThrough: number | null,
  isChanged = true,
): BilledSoFar => ({
  items: new Map(items.map((item) => [item.id, item])),
  settledThrough: settledThrough === null ? null : day(settledThrough),
  isChanged,
});

const subscription = (
  items: readonly BillingItem[],
  before: BilledSoFar,
  { until = 100, endAt = null }: { readonly until?: number; readonly endAt?: number | null } = {},
): DueSubscription => ({
  id: 's',
  endAt: endAt === null ? null : day(endAt),
  ...dueItems(items, before, { until: day(until), hashOf }),
});

const plan = (due: DueSubscription, until = 100): string[] =>
  plannedInvoices([due], day(until)).map(
    ({ date, items }) => `${date / MICROS_PER_DAY}: ${items.map(({ item }) => item.id).join(' ')}`,
  );

describe('what is due', () => {
  it('is on one invoice for each moment, and later moments are left', () => {
    const items = [fee(0, 30), fee(30, 60), fee(60, 90)];
    expect(plan(subscription(items, soFar([], null), { until: 30 }), 30)).to.deep.equal([
      '0: fee@0',
      '30: fee@30',
    ]);
  });

  it('is nothing of what was billed and stayed as it was', () => {
    expect(plan(subscription([fee(0, 30)], soFar([billed(fee(0, 30))], 0)))).to.deep.equal([]);
  });

  it('is a change of what was billed with the next invoice, once the change has come', () => {
    const before = soFar([billed(fee(0, 30))], 0);
    expect(plan(subscription([fee(0, 20), fee(30, 60)], before))).to.deep.equal(['30: fee@0 fee@30']);
    expect(plan(subscription([fee(0, 20)], before, { until: 10, endAt: 20 }), 10)).to.deep.equal([]);
    expect(plan(subscription([fee(0, 20)], before, { until: 25, endAt: 20 }), 25)).to.deep.equal([
      '20: fee@0',
    ]);
  });

  it('is a change without a later invoice not yet, and the subscription stays unsettled', () => {
    const changed = [fee(0, 30, '2')];
    expect(plan(subscription(changed, soFar([billed(fee(0, 30))], 0)))).to.deep.equal([]);
  });

  it('is all of an item back that is no longer there, but never of one that begins later than was asked for', () => {
    const before = soFar([billed(fee(0, 30)), billed(fee(30, 60))], 30);
    expect(plan(subscription([fee(0, 30), fee(40, 70)], before))).to.deep.equal(['40: fee@40 fee@30']);
    expect(subscription([fee(0, 30)], before, { until: 10 }).gone).to.deep.equal([]);
  });

  it('is what was given back not again', () => {
    const line = billed(fee(30, 60)).lines[0];
    const back = line ? [line, { ...line, invoice: 'i-2', amount: '-1' }] : [];
    const before = soFar([{ ...billed(fee(30, 60)), lines: back }], 40);
    expect(subscription([fee(50, 80)], before).gone).to.deep.equal([]);
  });

  it('is a minimum again when something in its time is', () => {
    const before = soFar([billed(fee(0, 30)), billed(bound(0, 30))], 30);
    const items = [fee(0, 30, '2'), bound(0, 30), fee(30, 60)];
    expect(plan(subscription(items, { ...before, settledThrough: day(29) }))).to.deep.equal([
      '30: fee@0 fee@30 minimum@0',
    ]);
  });
});
