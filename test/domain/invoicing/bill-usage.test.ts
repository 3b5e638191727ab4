import { expect } from 'chai';
import { timeZone } from '#domain/calendar/time-zone.ts';
import { billUsage, type Bill, type BillRequest } from '#domain/invoicing/bill-usage.ts';
import { chargeSegments } from '#domain/invoicing/charge-segments.ts';
import type { BilledCharge } from '#domain/invoicing/check-billed-charges.ts';
import { InvoicingError } from '#domain/invoicing/invoicing-error.ts';
import { usageNeeded } from '#domain/invoicing/usage-needed.ts';
import { Decimal } from '#domain/money/decimal.ts';
import type { Price } from '#domain/pricing/charge.ts';
import type { Usage } from '#domain/pricing/usage.ts';
import { instant } from '#test/infra/usage/usage-fixture.ts';
import { expectRecomputable } from './recompute.ts';

const BERLIN = 'Europe/Berlin';
/** March 2026 in Berlin: 31 local days, one of which has 23 hours. */
const MARCH = { from: instant('2026-02-28T23:00:00Z'), to: instant('2026-03-31T22:00:00Z') };
const CHANGE = instant('2026-03-29T22:00:00Z');

const of = (quantity: string): Usage => ({ quantity: new Decimal(quantity) });
const perUnit = (unitPrice: string): Price => ({ model: 'perUnit', unitPrice });
const usageOf = (usage: Readonly<Record<string, readonly Usage[]>>) => new Map(Object.entries(usage));

const bill = (
  charges: readonly BilledCharge[],
  usage: Readonly<Record<string, readonly Usage[]>>,
  more: Partial<BillRequest> = {},
): Bill =>
  billUsage({ currency: 'EUR', period: MARCH, timezone: BERLIN, charges, usage: usageOf(usage), ...more });

const amounts = ({ lines }: Bill): string[] => lines.map(({ id, kind, amount }) => `${id} ${kind} ${amount}`);

function faultsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof InvoicingError)
      return error.violations.map(({ pointer, code }) => `${pointer} ${code}`);
    throw error;
  }
  return [];
}

describe('billUsage', () => {
  it('cuts a period where a price changes, at the first moment of that day in the zone, across a change of its clocks', () => {
    const charge: BilledCharge = {
      key: 'tokens',
      meter: 'tokens',
      price: perUnit('0.10'),
      rates: [{ from: '2026-03-30', price: perUnit('0.20') }],
    };
    const made = bill([charge], { tokens: [of('150'), of('7')] });
    expect(
      made.lines.map(({ period, quantity, unitPrice, amount }) => ({ period, quantity, unitPrice, amount })),
    ).to.deep.equal([
      { period: { from: MARCH.from, to: CHANGE }, quantity: '150', unitPrice: '0.1', amount: '15' },
      { period: { from: CHANGE, to: MARCH.to }, quantity: '7', unitPrice: '0.2', amount: '1.4' },
    ]);
    expect(made.totals.total).to.equal('16.4');
  });

  it('prices a fee that changes by minutes, or by local days, of which the one with 23 hours is one', () => {
    const fee = (key: string, proration: 'exact' | 'day'): BilledCharge => ({
      key,
      proration,
      price: { model: 'flat', amount: '44.58' },
      rates: [{ from: '2026-03-30', price: { model: 'flat', amount: '89.16' } }],
    });
    const none = of('0');
    const made = bill([fee('exact', 'exact'), fee('day', 'day')], { exact: [none, none], day: [none, none] });
    // 41,700 and 2,880 of 44,580 minutes; 29 and 2 of 31 days.
    expect(amounts(made)).to.deep.equal([
      'exact/1 fixed 41.7',
      'exact/2 fixed 5.76',
      'day/1 fixed 41.7',
      'day/2 fixed 5.75',
    ]);
    for (const line of made.lines) expectRecomputable(line, 2);
  });

  it('goes on in the tiers over a change, as the charge says', () => {
    const tiers = (first: string): Price => ({
      model: 'graduated',
      tiers: [
        { upTo: '10', unitPrice: first },
        { upTo: null, unitPrice: '1' },
      ],
    });
    const charge = (key: string, onChange: 'continue' | 'restart'): BilledCharge => ({
      key,
      meter: 'm',
      onChange,
      price: tiers('3'),
      rates: [{ from: '2026-03-30', price: tiers('2') }],
    });
    const made = bill([charge('on', 'continue'), charge('again', 'restart')], {
      on: [of('8'), of('8')],
      again: [of('8'), of('8')],
    });
    expect(amounts(made)).to.deep.equal([
      'on/1 usage 24',
      'on/2 usage 10',
      'again/1 usage 24',
      'again/2 usage 16',
    ]);
    for (const line of made.lines) expectRecomputable(line, 2);
  });

  it('shows of every line what it was computed from: discounts, maximum and minimum too', () => {
    const groups = [
      { dimensions: { model: 'a' }, quantity: new Decimal('100.5') },
      { dimensions: { model: 'b' }, quantity: new Decimal('33') },
    ];
    const matrix: Price = {
      model: 'matrix',
      dimensions: ['model'],
      cells: [{ match: { model: 'a' }, unitPrice: '0.333' }],
      defaultUnitPrice: '0.2',
    };
    const charges: BilledCharge[] = [
      {
        key: 'all',
        meter: 'm',
        price: matrix,
        discount: { percent: '10', amount: '1.11' },
        maximum: '30.005',
      },
      { key: 'least', meter: 'm', price: perUnit('0.001'), minimum: '50' },
      { key: 'odd', meter: 'm', price: perUnit('0.0033'), discount: { percent: '33' } },
    ];
    const made = bill(charges, { all: [{ groups }], least: [of('7')], odd: [of('1001')] });
    expect(amounts(made)).to.deep.equal([
      'all/1 usage 33.47',
      'all/2 usage 6.6',
      'all/3 discount -4.01',
      'all/4 discount -1.11',
      'all/5 maximum -4.94',
      'least/1 usage 0.01',
      'least/2 minimum 49.99',
      'odd/1 usage 3.3',
      'odd/2 discount -1.09',
    ]);
    for (const line of made.lines) expectRecomputable(line, 2);
    expect(made.totals).to.deep.equal({
      charges: '82.22',
      discounts: '0',
      net: '82.22',
      tax: '0',
      total: '82.22',
    });
    const turned = bill(charges, {
      all: [{ groups: groups.toReversed() }],
      least: [of('7')],
      odd: [of('1001')],
    });
    expect(turned).to.deep.equal(made);
  });

  it('rounds to the minor unit of its currency', () => {
    const charge: BilledCharge = { key: 'c', meter: 'm', price: perUnit('0.1255') };
    const total = (currency: string): string => bill([charge], { c: [of('1')] }, { currency }).totals.total;
    expect(['JPY', 'EUR', 'BHD'].map(total)).to.deep.equal(['0', '0.13', '0.126']);
  });

  it('names every fault of every charge at once', () => {
    const faults = faultsOf(() =>
      bill(
        [
          { key: 'a', price: perUnit('-1'), minimum: '2', maximum: '1' },
          { key: 'a', price: perUnit('1') },
          { key: 'b', meter: 'm', price: perUnit('1'), rates: [{ from: '2026-02-31', price: perUnit('2') }] },
        ],
        {},
      ),
    );
    expect(faults).to.deep.equal([
      '/charges/0/price/unitPrice below_zero',
      '/charges/0/minimum minimum_over_maximum',
      '/charges/1/key duplicate_key',
      '/charges/1/meter meter_needed',
      '/charges/2/rates/0/from not_a_date',
    ]);
  });

  it('refuses usage of another kind than the price is of, by the charge', () => {
    const charge: BilledCharge = {
      key: 'c',
      meter: 'm',
      price: { model: 'matrix', dimensions: ['d'], cells: [] },
    };
    expect(faultsOf(() => bill([charge], { c: [of('1')] }))).to.deep.equal([
      '/charges/0/usage groups_needed',
    ]);
  });
});

describe('chargeSegments', () => {
  it('has a price of the last day of a period that ends within it, and none that begins after', () => {
    const rates = ['2026-03-05', '2026-03-10', '2026-03-11'].map((from) => ({ from, price: perUnit('2') }));
    const period = { from: instant('2026-03-05T09:00:00Z'), to: instant('2026-03-10T12:00:00Z') };
    const cut = chargeSegments({ price: perUnit('1'), rates }, period, timeZone('UTC'));
    expect(cut.map(({ from, to }) => [from, to])).to.deep.equal([
      [period.from, instant('2026-03-10T00:00:00Z')],
      [instant('2026-03-10T00:00:00Z'), period.to],
    ]);
  });

  it('passes over a price of a date that the zone skipped', () => {
    // Samoa had no 30 December 2011.
    const rates = ['2011-12-30', '2011-12-31'].map((from, at) => ({ from, price: perUnit(`${at + 2}`) }));
    const period = { from: instant('2011-12-01T10:00:00Z'), to: instant('2011-12-31T10:00:00Z') };
    const cut = chargeSegments({ price: perUnit('1'), rates }, period, timeZone('Pacific/Apia'));
    expect(cut.map(({ price }) => price)).to.deep.equal([perUnit('1'), perUnit('3')]);
    expect(cut[0]?.to).to.equal(cut[1]?.from);
  });
});

describe('usageNeeded', () => {
  it('is nothing, a quantity, groups or events, as price and charge say', () => {
    const tiers = [{ upTo: null, unitPrice: '1' }];
    const price: Price = { model: 'graduated', tiers };
    expect(usageNeeded({ price: { model: 'flat', amount: '1' } })).to.deep.equal({ kind: 'nothing' });
    expect(usageNeeded({ price })).to.deep.equal({ kind: 'quantity' });
    expect(usageNeeded({ price, tiersOver: 'total' })).to.deep.equal({ kind: 'quantity' });
    expect(usageNeeded({ price, tiersOver: 'line' })).to.deep.equal({ kind: 'groups', dimensions: 'all' });
    expect(usageNeeded({ price: { model: 'matrix', dimensions: ['d'], cells: [] } })).to.deep.equal({
      kind: 'groups',
      dimensions: ['d'],
    });
    expect(usageNeeded({ price: { model: 'dynamic' } })).to.deep.equal({ kind: 'events' });
    expect(usageNeeded({ price: { model: 'percentage', percent: '1' } })).to.deep.equal({ kind: 'quantity' });
    expect(usageNeeded({ price: { model: 'percentage', percent: '1', feePerEvent: '1' } })).to.deep.equal({
      kind: 'events',
    });
  });
});
