import { expect } from 'chai';
import fc from 'fast-check';
import { Decimal, toDecimalText } from '#domain/money/decimal.ts';
import type { Charge } from '#domain/pricing/charge.ts';
import { prepareCharge } from '#domain/pricing/prepared-charge.ts';
import { rateCharge, type RatedCharge } from '#domain/pricing/rate-charge.ts';
import type { RateRequest, Usage } from '#domain/pricing/usage.ts';
import {
  amountText,
  chargeOf,
  eventPrices,
  eventValues,
  moneyText,
  priceOf,
  quantities,
  quantityPrices,
  quantityRules,
  quantityText,
  walkEvents,
  walkQuantity,
  walkUnits,
} from './unit-by-unit.ts';

const RUNS = { numRuns: 600 };

const rated = (charge: Charge, usage: Usage, more: Partial<RateRequest> = {}): RatedCharge =>
  rateCharge(prepareCharge(charge), { usage, decimals: 2, rounding: 'none', ...more });

const amountOf = (...asked: Parameters<typeof rated>): string => toDecimalText(rated(...asked).amount);

const of = (tenths: number): Decimal => new Decimal(quantityText(tenths));
const valuesOf = (values: readonly number[]): Usage => ({
  events: values.map((value) => ({ value: of(value) })),
});

const REGIONS = ['eu', 'us', 'ap'] as const;
const groupQuantities = fc.array(fc.tuple(fc.constantFrom(...REGIONS), quantities), { maxLength: 6 });
const groupsOf = (groups: readonly (readonly [string, number])[]): Usage => ({
  groups: groups.map(([region, tenths]) => ({ dimensions: { region }, quantity: of(tenths) })),
});

/** The tenths of each group that is there. */
function totals(groups: readonly (readonly [string, number])[]): number[] {
  const sums = new Map<string, number>();
  for (const [region, tenths] of groups) sums.set(region, (sums.get(region) ?? 0) + tenths);
  return [...sums.values()];
}

const added = (amounts: readonly number[]): string =>
  amountText(amounts.reduce((sum, each) => sum + each, 0));

describe('every price model comes to what a walk unit by unit comes to', () => {
  it('one quantity, in each model', () => {
    fc.assert(
      fc.property(quantityPrices, quantities, (price, tenths) => {
        expect(amountOf(chargeOf(price), { quantity: of(tenths) })).to.equal(
          amountText(walkUnits(price, tenths)),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('a quantity that is converted, rounded, and free in part before it is priced', () => {
    fc.assert(
      fc.property(quantityPrices, quantityRules, quantities, (price, rule, measured) => {
        expect(amountOf(chargeOf(price, rule), { quantity: of(measured) })).to.equal(
          amountText(walkUnits(price, walkQuantity(rule, measured))),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('events, with every rule for single ones', () => {
    fc.assert(
      fc.property(eventPrices, fc.array(eventValues, { maxLength: 12 }), (price, values) => {
        // Without a rule that asks for events their sum is priced.
        const walked = walkEvents(price, values);
        expect(amountOf(chargeOf(price), valuesOf(values))).to.equal(amountText(walked));
      }),
      { numRuns: 2_000 },
    );
  });

  it('events that bring their price', () => {
    fc.assert(
      fc.property(fc.nat({ max: 30_000 }), fc.array(quantities), (price, values) => {
        const dynamic = { model: 'dynamic', price } as const;
        const expected = added(values.map((value) => walkUnits(dynamic, value)));
        expect(amountOf(chargeOf(dynamic), valuesOf(values))).to.equal(expected);
        const quantity = of(values.reduce((sum, each) => sum + each, 0));
        expect(amountOf(chargeOf(dynamic), { quantity })).to.equal(expected);
      }),
      RUNS,
    );
  });

  it('groups, each at its own price in a matrix', () => {
    const prices = fc.tuple(
      fc.nat({ max: 9_999 }),
      fc.nat({ max: 9_999 }),
      fc.option(fc.nat({ max: 9_999 }), { nil: undefined }),
    );
    fc.assert(
      fc.property(prices, groupQuantities, ([eu, us, other], groups) => {
        const charge: Charge = {
          price: {
            model: 'matrix',
            dimensions: ['region'],
            cells: [
              { match: { region: 'us' }, unitPrice: moneyText(us) },
              { match: { region: 'eu' }, unitPrice: moneyText(eu) },
            ],
            defaultUnitPrice: other === undefined ? null : moneyText(other),
          },
        };
        const prices: Readonly<Record<string, number>> = { eu, us, ap: other ?? 0 };
        const walked = groups.map(([region, tenths]) =>
          walkUnits({ model: 'perUnit', price: prices[region]! }, tenths),
        );
        expect(amountOf(charge, groupsOf(groups))).to.equal(added(walked));
        const events = groups.map(([region, tenths]) => ({ value: of(tenths), dimensions: { region } }));
        expect(amountOf(charge, { events })).to.equal(added(walked));
      }),
      RUNS,
    );
  });

  it('groups, in tiers of their own or of all together', () => {
    fc.assert(
      fc.property(quantityPrices, groupQuantities, (price, groups) => {
        const perLine = totals(groups).map((tenths) => walkUnits(price, tenths));
        expect(amountOf(chargeOf(price), groupsOf(groups))).to.equal(added(perLine));
        const total = groups.reduce((sum, [, tenths]) => sum + tenths, 0);
        expect(amountOf({ ...chargeOf(price), tiersOver: 'total' }, groupsOf(groups))).to.equal(
          amountText(walkUnits(price, total)),
        );
      }),
      RUNS,
    );
  });

  it('free units of groups, all of them and no more, whatever share each has', () => {
    fc.assert(
      fc.property(groupQuantities, fc.nat({ max: 400 }), fc.nat({ max: 9_999 }), (groups, free, price) => {
        const charge: Charge = {
          price: priceOf({ model: 'perUnit', price }),
          quantity: { free: quantityText(free) },
        };
        const total = groups.reduce((sum, [, tenths]) => sum + tenths, 0);
        expect(amountOf(charge, groupsOf(groups))).to.equal(amountText(Math.max(0, total - free) * price));
      }),
      RUNS,
    );
  });

  it('a fee, whatever is used, and one for each seat', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999 }), quantities, (amount, tenths) => {
        const flat = { model: 'flat', amount } as const;
        expect(amountOf(chargeOf(flat), { quantity: of(tenths) })).to.equal(
          amountText(walkUnits(flat, tenths)),
        );
        expect(amountOf(chargeOf(flat), { seats: of(tenths) })).to.equal(amountText(amount * tenths));
      }),
      RUNS,
    );
  });

  it('seats, in each model of a quantity', () => {
    fc.assert(
      fc.property(quantityPrices, quantities, (price, tenths) => {
        expect(amountOf(chargeOf(price), { seats: of(tenths) })).to.equal(
          amountText(walkUnits(price, tenths)),
        );
      }),
      RUNS,
    );
  });
});

describe('a rated charge', () => {
  it('is the same in whatever order and pieces groups and summed events come', () => {
    fc.assert(
      fc.property(quantityPrices, groupQuantities, fc.integer(), (price, groups, seed) => {
        const charge = {
          ...chargeOf(price),
          discount: { percent: '7', amount: '0.5' },
          quantity: { free: '3' },
        };
        const shuffled = groups.toSorted(([, a], [, b]) => ((a * 31 + seed) % 17) - ((b * 31 + seed) % 17));
        const pieces = shuffled.flatMap(([region, tenths]) => [
          [region, Math.floor(tenths / 3)] as const,
          [region, tenths - Math.floor(tenths / 3)] as const,
        ]);
        const { amount, lines, working } = rated(charge, groupsOf(groups), { rounding: 'line' });
        const again = rated(charge, groupsOf(pieces), { rounding: 'line' });
        expect([again.amount, again.lines, again.working]).to.deep.equal([amount, lines, working]);
      }),
      RUNS,
    );
  });

  it('is the same to the byte in whatever order dimensions are named', () => {
    const charge: Charge = {
      price: {
        model: 'matrix',
        dimensions: ['model', 'region'],
        cells: [{ match: { region: 'eu', model: 'm' }, unitPrice: '2' }],
      },
    };
    const group = (dimensions: Readonly<Record<string, string>>) => ({ dimensions, quantity: of(10) });
    const [first, second] = [group({ region: 'eu', model: 'm' }), group({ model: 'm', region: 'eu' })];
    const text = (...groups: readonly (typeof first)[]): string => {
      const { lines, working } = rated(charge, { groups });
      return JSON.stringify([lines, working]);
    };
    expect(text(second, first)).to.equal(text(first, second));
    expect(amountOf(charge, { groups: [first, second] })).to.equal('4');
  });
});
