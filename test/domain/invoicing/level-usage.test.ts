import { expect } from 'chai';
import { measuredBy } from '#domain/invoicing/measured-usage.ts';
import type { MeasuredUsage } from '#domain/invoicing/invoice-inputs.ts';
import type { Price } from '#domain/pricing/charge.ts';
import {
  APRIL,
  at,
  billedOf,
  chargeOf,
  groups,
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
import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import { expectInvoice } from './recompute-invoice.ts';

const level = (units: number): MeasuredUsage => ({ ...quantity(units), isLevel: true }) as MeasuredUsage;
const storage = chargeOf('storage', perUnit('0.1'), { meter: 'storage' });

describe('a level that is held over time', () => {
  it('counts for the part of the period in which it was held, in a period that is cut as in one that is not', () => {
    const whole = itemOf('usage', storage);
    expectInvoice(invoiceOf([used(whole, level(300))]), ['usage | storage | 30'], '30');
    const half = itemOf('usage', storage, { period: span('2026-04-16', '2026-05-01') });
    expectInvoice(invoiceOf([used(half, level(300))]), ['usage | storage | 15'], '15');
    const changed = itemOf('usage', storage, {
      segments: [{}, { from: '2026-04-11', price: perUnit('0.2') }],
    });
    const made = invoiceOf([inputsOfItem(changed, { usage: [level(300), level(300)] })]);
    // A third of a month at 0.10, and two at 0.20.
    expectInvoice(made, ['usage | storage | 10', 'usage | storage | 40'], '50');
    expect(made.lines.map((line) => line.quantity)).to.deep.equal(['100', '200']);
  });

  it('is due as far as it has come where it is billed before the period ends', () => {
    const item = itemOf('usage', storage);
    const first = invoiceOf([used(item, level(300), { through: at('2026-04-11') })], { kind: 'threshold' });
    expectInvoice(first, ['usage | storage | 10'], '10');
    const last = invoiceOf([used(item, level(300), { billed: billedOf(item.id, first) })]);
    expectInvoice(last, ['usage | storage | 30', 'billedBefore | storage, billed before | -10'], '20');
  });

  it('is shared out by time where the charge is not prorated, and whole where nothing cuts the period', () => {
    const unprorated = { ...storage, proration: 'none' as const };
    const half = itemOf('usage', unprorated, { period: span('2026-04-16', '2026-05-01') });
    expectInvoice(invoiceOf([used(half, level(300))]), ['usage | storage | 30'], '30');
    const changed = itemOf('usage', unprorated, { segments: [{}, { from: '2026-04-11' }] });
    const made = invoiceOf([inputsOfItem(changed, { usage: [level(300), level(300)] })]);
    expectInvoice(made, ['usage | storage | 10', 'usage | storage | 20'], '30');
  });

  it('counts so in each group', () => {
    const matrix: Price = {
      model: 'matrix',
      dimensions: ['tier'],
      cells: [
        { match: { tier: 'hot' }, unitPrice: '1' },
        { match: { tier: 'cold' }, unitPrice: '0.5' },
      ],
    };
    const item = itemOf('usage', chargeOf('storage', matrix, { meter: 'storage' }), {
      period: { from: APRIL.from, to: at('2026-04-07') },
    });
    const measured = {
      ...groups([{ tier: 'cold' }, 50], [{ tier: 'hot' }, 10]),
      isLevel: true,
    } as MeasuredUsage;
    expectInvoice(invoiceOf([used(item, measured)]), ['usage | storage | 5', 'usage | storage | 2'], '7');
  });

  it('is what every aggregation measures but those that add up', () => {
    const meter = { name: 'Storage', eventType: 'stored', value: 'v' };
    const of = { meter: 'storage', meterVersion: 2 };
    const by = (aggregation: 'timeWeightedSum' | 'sum' | 'count' | 'max' | 'unique') =>
      measuredBy({ key: 'storage', version: 2, definition: { ...meter, aggregation } });
    expect(by('timeWeightedSum')).to.deep.equal({ ...of, isLevel: true });
    expect(by('sum')).to.deep.equal(of);
    expect(by('count')).to.deep.equal(of);
    for (const other of ['max', 'unique'] as const) expect(by(other)).to.deep.equal({ ...of, isLevel: true });
  });
});

describe('a line of an invoice', () => {
  it('has a unit price only where that is the price of the units that it says', () => {
    const packages: Price = { model: 'package', size: '1000', price: '140' };
    const sold = itemOf('usage', chargeOf('sms', packages, { meter: 'sms' }));
    const { lines } = invoiceOf([used(sold, quantity(15_001))]);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ quantity: '15001', unitPrice: null, amount: '2240' });
    const [plain] = invoiceOf([used(itemOf('usage', storage), quantity(200))]).lines;
    expect(plain).to.include({ quantity: '200', unitPrice: '0.1', amount: '20' });
  });

  it('is of a customer whose name the invoice says, and of whom there is no line is not named', () => {
    const lineOf = (units: number) => used(itemOf('usage', storage), quantity(units));
    const of = (key: string, id: string) => ({ id, customer: { key, name: `${key} Ltd` } });
    const made = buildInvoice(
      inputsOf([
        subscriptionOf([lineOf(1)], of('south', 's-1')),
        subscriptionOf([], of('west', 's-2')),
        subscriptionOf([lineOf(2)], of('north', 's-3')),
        subscriptionOf([lineOf(3)], of('south', 's-4')),
      ]),
    );
    expect(made.customers).to.deep.equal(
      [...new Set(made.lines.map(({ customer }) => customer))].map((key) => ({ key, name: `${key} Ltd` })),
    );
    expect(made.customers.map(({ key }) => key)).to.have.members(['south', 'north']);
  });
});
