import { expect } from 'chai';
import { Decimal, toDecimalText } from '#domain/money/decimal.ts';
import { fraction } from '#domain/money/fraction.ts';
import type { Charge, OnChange, Price } from '#domain/pricing/charge.ts';
import { prepareCharge } from '#domain/pricing/prepared-charge.ts';
import { rateSegments } from '#domain/pricing/rate-segments.ts';
import { priceOn, pricesBetween } from '#domain/pricing/rates.ts';
import type { Usage } from '#domain/pricing/usage.ts';

/* Periods that a change cuts, by hand. */

type Cut = readonly [charge: Charge, usage: Usage, days: number];

function amounts(...cuts: readonly Cut[]): string[] {
  const length = cuts.reduce((sum, [, , days]) => sum + days, 0);
  const segments = cuts.map(([charge, usage, days]) => ({
    charge: prepareCharge(charge),
    usage,
    fraction: fraction(BigInt(days), BigInt(length)),
  }));
  return rateSegments({ segments, decimals: 2 }).map(({ amount }) => toDecimalText(amount));
}

const units = (quantity: string): Usage => ({ quantity: new Decimal(quantity) });
const seats = (count: string): Usage => ({ seats: new Decimal(count) });
const of = (region: string, quantity: string) => ({
  dimensions: { region },
  quantity: new Decimal(quantity),
});

const tiers = (first: string, fee = '0') => [
  { upTo: '10', unitPrice: first, flatFee: fee },
  { upTo: null, unitPrice: '5', flatFee: fee },
];
const graduated = (onChange: OnChange, first = '10', fee = '0'): Charge => ({
  onChange,
  price: { model: 'graduated', tiers: tiers(first, fee) },
});
const volume = (onChange: OnChange, first = '10', fee = '0'): Charge => ({
  onChange,
  price: { model: 'volume', tiers: tiers(first, fee) },
});

describe('a change inside a period', () => {
  it('continues in the tiers, each segment at its own prices', () => {
    const [before, after] = [graduated('continue', '10', '1'), graduated('continue', '8', '2')];
    // 6 at 10 and the first fee; 4 at 8, 2 at 5 and the second fee.
    expect(amounts([before, units('6'), 10], [after, units('6'), 20])).to.deep.equal(['61', '44']);
  });

  it('restarts them, with every fee', () => {
    const [before, after] = [graduated('restart', '10', '1'), graduated('restart', '8', '2')];
    expect(amounts([before, units('6'), 10], [after, units('6'), 20])).to.deep.equal(['61', '50']);
  });

  it('or cuts tiers and fees to each part of the period', () => {
    const [before, after] = [graduated('prorateTiers', '10', '3'), graduated('prorateTiers', '8', '3')];
    // 10 days: 3.333… at 10, the rest at 5, fees of 1; 20 days: 6 of 6.666… at 8, a fee of 2.
    expect(amounts([before, units('6'), 10], [after, units('6'), 20])).to.deep.equal(['48.67', '50']);
  });

  it('is told by the segment after it: what was continued can be restarted', () => {
    const on = graduated('continue');
    expect(
      amounts(
        [on, units('8'), 10],
        [on, units('8'), 10],
        [graduated('restart'), units('8'), 10],
        [on, units('8'), 10],
      ),
    ).to.deep.equal(['80', '50', '80', '50']);
  });

  it('has the tier of a volume price from all units that go on together, and its fee once, with the last', () => {
    const [before, after] = [volume('continue', '10', '1'), volume('continue', '8', '2')];
    expect(amounts([before, units('4'), 10], [after, units('6'), 20])).to.deep.equal(['40', '50']);
    expect(amounts([before, units('4'), 10], [after, units('7'), 20])).to.deep.equal(['20', '37']);
    expect(
      amounts([volume('restart', '10', '1'), units('4'), 10], [volume('restart', '8', '2'), units('11'), 20]),
    ).to.deep.equal(['41', '57']);
  });

  it('keeps the tiers and fees of groups apart, also of those that come or go', () => {
    const [on, by] = [graduated('continue', '10', '1'), volume('continue', '10', '1')];
    const first: Usage = { groups: [of('eu', '6'), of('us', '6')] };
    const second: Usage = { groups: [of('ap', '6'), of('eu', '6')] };
    // eu: 61, then 4 at 10, 2 at 5 and a fee; us: 61; ap: 61.
    expect(amounts([on, first, 10], [on, second, 20])).to.deep.equal(['122', '112']);
    // eu: 12 units at 5 and a fee; us and ap: 6 at 10 and a fee, that of us with the last segment.
    expect(amounts([by, first, 10], [by, second, 20])).to.deep.equal(['90', '93']);
  });

  it('goes on with free events and free value', () => {
    const charge: Charge = {
      price: { model: 'percentage', percent: '10', freeEvents: '3', freeAmount: '50' },
    };
    const events = (...values: string[]): Usage => ({
      events: values.map((value) => ({ value: new Decimal(value) })),
    });
    expect(amounts([charge, events('10', '20'), 10], [charge, events('10', '20'), 10])).to.deep.equal([
      '0',
      '2',
    ]);
    expect(amounts([charge, events('45'), 10], [charge, events('10', '20'), 10])).to.deep.equal(['0', '2.5']);
  });

  it('starts anew after a model that has no tiers', () => {
    const flat: Charge = { price: { model: 'flat', amount: '30' } };
    expect(amounts([flat, units('8'), 10], [graduated('continue'), units('8'), 20])).to.deep.equal([
      '10',
      '80',
    ]);
  });
});

describe('seats that change inside a period', () => {
  const seat: Charge = { price: { model: 'flat', amount: '31' } };

  it('are each paid for their part of the period', () => {
    expect(amounts([seat, seats('5'), 10], [seat, seats('8'), 21])).to.deep.equal(['50', '168']);
    expect(amounts([seat, seats('5'), 31], [seat, seats('0'), 0])).to.deep.equal(['155', '0']);
  });

  it('or in full, where the charge is not prorated', () => {
    const whole: Charge = { ...seat, proration: 'none' };
    expect(amounts([whole, seats('5'), 10], [whole, seats('1'), 21])).to.deep.equal(['155', '31']);
  });

  it('can be in tiers, which each segment has to itself', () => {
    const tiered = graduated('continue', '10', '3');
    // A third of 8 at 10 and a fee of 3; two thirds of 10 at 10, 2 at 5 and two fees of 3.
    expect(amounts([tiered, seats('8'), 10], [tiered, seats('12'), 20])).to.deep.equal(['27.67', '77.33']);
  });
});

describe('prices by date', () => {
  const price = (unitPrice: string): Price => ({ model: 'perUnit', unitPrice });
  const charge: Charge = {
    price: price('1'),
    rates: [
      { from: '2026-03-10', price: price('2') },
      { from: '2026-03-20', price: price('3') },
    ],
  };
  const between = (from: string, to: string): string[] =>
    pricesBetween(charge, from, to).map((dated) => {
      const { unitPrice } = dated.price as Extract<Price, { model: 'perUnit' }>;
      return `${dated.from} ${dated.to} ${unitPrice}`;
    });

  it('hold from their day on, the own price before the first', () => {
    const on = (date: string): Price => priceOn(charge, date);
    expect(['2026-03-09', '2026-03-10', '2026-03-19', '2026-03-20', '2027-01-01'].map(on)).to.deep.equal(
      ['1', '2', '2', '3', '3'].map(price),
    );
    expect(priceOn({ price: price('1'), rates: null }, '2026-03-10')).to.deep.equal(price('1'));
  });

  it('cut a period without a gap, in as many parts as there are prices in it', () => {
    expect(between('2026-03-01', '2026-04-01')).to.deep.equal([
      '2026-03-01 2026-03-10 1',
      '2026-03-10 2026-03-20 2',
      '2026-03-20 2026-04-01 3',
    ]);
    expect(between('2026-03-10', '2026-03-20')).to.deep.equal(['2026-03-10 2026-03-20 2']);
    expect(between('2026-03-12', '2026-03-21')).to.deep.equal([
      '2026-03-12 2026-03-20 2',
      '2026-03-20 2026-03-21 3',
    ]);
    expect(between('2026-02-01', '2026-03-01')).to.deep.equal(['2026-02-01 2026-03-01 1']);
  });
});
