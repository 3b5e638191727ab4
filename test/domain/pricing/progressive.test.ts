import { expect } from 'chai';
import fc from 'fast-check';
import { Decimal, ZERO, toDecimalText } from '#domain/money/decimal.ts';
import { fraction } from '#domain/money/fraction.ts';
import type { Charge } from '#domain/pricing/charge.ts';
import { prepareCharge } from '#domain/pricing/prepared-charge.ts';
import { rateCharge } from '#domain/pricing/rate-charge.ts';
import { rateSegments } from '#domain/pricing/rate-segments.ts';
import type {
  Before,
  RateMode,
  RoundingScope,
  SegmentPlace,
  Usage,
  UsageGroup,
} from '#domain/pricing/usage.ts';
import {
  chargeOf,
  eventPrices,
  eventValues,
  moneyText,
  quantities,
  quantityPrices,
  quantityRules,
  quantityText,
  stages,
} from './unit-by-unit.ts';

/* A period that is billed in parts: what was billed before goes into each, and together they are the whole at once. */

const RUNS = { numRuns: 1_000 };

const of = (tenths: number): Decimal => new Decimal(quantityText(tenths));
const sumOf = (values: readonly Decimal[]): Decimal => values.reduce((sum, each) => sum.plus(each), ZERO);

interface Part {
  readonly quantity?: number;
  readonly groups?: readonly (readonly [string, number])[];
  readonly events?: readonly number[];
}

const groupsOf = (groups: readonly (readonly [string, number])[]): UsageGroup[] =>
  groups.map(([region, tenths]) => ({ dimensions: { region }, quantity: of(tenths) }));

function usageOf({ quantity, groups, events }: Part): Usage {
  if (groups) return { groups: groupsOf(groups) };
  if (events) return { events: events.map((value) => ({ value: of(value) })) };
  return { quantity: of(quantity ?? 0) };
}

const tenthsOf = ({ quantity, groups, events }: Part): number =>
  quantity ??
  [...(groups ?? []).map(([, tenths]) => tenths), ...(events ?? [])].reduce((sum, each) => sum + each, 0);

const together = (parts: readonly Part[]): Part =>
  parts[0]?.groups
    ? { groups: parts.flatMap(({ groups = [] }) => groups) }
    : parts[0]?.events
      ? { events: parts.flatMap(({ events = [] }) => events) }
      : { quantity: parts.map(tenthsOf).reduce((sum, each) => sum + each, 0) };

const placeOf = (at: number, count: number): SegmentPlace =>
  count === 1 ? 'full' : at === 0 ? 'first' : at === count - 1 ? 'last' : 'middle';

interface Billing {
  readonly mode?: RateMode;
  readonly rounding?: RoundingScope;
}

/** Bills part after part, each knowing what was billed before it. */
function billedInParts(
  charge: Charge,
  parts: readonly Part[],
  { mode = 'segment', rounding = 'none' }: Billing,
): Decimal {
  const prepared = prepareCharge(charge);
  let [amount, gross] = [ZERO, ZERO];
  parts.forEach((part, at) => {
    const earlier = together(parts.slice(0, at));
    const before: Before = {
      quantity: of(tenthsOf(earlier)),
      amount,
      ...(earlier.events ? { events: earlier.events.length, gross } : {}),
      ...(earlier.groups ? { groups: groupsOf(earlier.groups) } : {}),
    };
    const rated = rateCharge(prepared, {
      usage: usageOf(mode === 'cumulative' ? together(parts.slice(0, at + 1)) : part),
      decimals: 2,
      rounding,
      mode,
      segment: placeOf(at, parts.length),
      ...(at === 0 ? {} : { before }),
    });
    amount = amount.plus(rated.amount);
    gross = gross.plus(rated.gross);
  });
  return amount;
}

const atOnce = (charge: Charge, parts: readonly Part[], { rounding = 'none' }: Billing): Decimal =>
  rateCharge(prepareCharge(charge), { usage: usageOf(together(parts)), decimals: 2, rounding }).amount;

function expectTheWhole(charge: Charge, parts: readonly Part[], billing: Billing = {}): void {
  expect(toDecimalText(billedInParts(charge, parts, billing))).to.equal(
    toDecimalText(atOnce(charge, parts, billing)),
  );
}

const inParts = <One>(one: fc.Arbitrary<One>) => fc.array(one, { minLength: 1, maxLength: 6 });
const quantityParts: fc.Arbitrary<Part[]> = inParts(fc.record({ quantity: quantities }));
const groupParts: fc.Arbitrary<Part[]> = inParts(
  fc.record({ groups: fc.array(fc.tuple(fc.constantFrom('eu', 'us', 'ap'), quantities), { maxLength: 4 }) }),
);
const eventParts: fc.Arbitrary<Part[]> = inParts(
  fc.record({ events: fc.array(eventValues, { maxLength: 5 }) }),
);

describe('a period that is billed in parts', () => {
  it('comes to the whole: one quantity, in every model, with free units, conversion and every stage', () => {
    fc.assert(
      fc.property(quantityPrices, quantityRules, stages, quantityParts, (price, rule, extra, parts) => {
        expectTheWhole({ ...chargeOf(price, rule), ...extra }, parts);
      }),
      { numRuns: 3_000 },
    );
  });

  it('comes to the whole: groups in tiers of their own, with free units that they share', () => {
    fc.assert(
      fc.property(quantityPrices, quantityRules, stages, groupParts, (price, rule, extra, parts) => {
        expectTheWhole({ ...chargeOf(price, rule), ...extra }, parts);
        expectTheWhole({ ...chargeOf(price, rule), ...extra, tiersOver: 'total' }, parts);
      }),
      { numRuns: 2_000 },
    );
  });

  it('comes to the whole: groups in a matrix, with free units that they share', () => {
    const charge = (free: number): Charge => ({
      price: {
        model: 'matrix',
        dimensions: ['region'],
        cells: [{ match: { region: 'eu' }, unitPrice: '0.3' }],
        defaultUnitPrice: '0.02',
      },
      quantity: { free: quantityText(free) },
    });
    fc.assert(
      fc.property(fc.nat({ max: 300 }), stages, groupParts, (free, extra, parts) =>
        expectTheWhole({ ...charge(free), ...extra }, parts),
      ),
      { numRuns: 2_000 },
    );
  });

  it('comes to the whole: events, with every rule for single ones and every stage', () => {
    fc.assert(
      fc.property(eventPrices, stages, eventParts, (price, extra, parts) => {
        expectTheWhole({ ...chargeOf(price), ...extra }, parts);
      }),
      { numRuns: 3_000 },
    );
  });

  it('comes to the whole: events below 0 among others, each of which gives back', () => {
    const signed = fc.record({ events: fc.array(fc.integer({ min: -100, max: 100 }), { maxLength: 5 }) });
    fc.assert(
      fc.property(eventPrices, inParts(signed), (price, parts) => expectTheWhole(chargeOf(price), parts)),
      RUNS,
    );
  });

  it('comes to the whole where usage shrinks again, but not below nothing', () => {
    const signed = fc.array(fc.integer({ min: -100, max: 200 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(quantityPrices, quantityRules, signed, (price, rule, changes) => {
        let level = 0;
        const parts = changes.map((change) => {
          const quantity = Math.max(change, -level);
          level += quantity;
          return { quantity };
        });
        expectTheWhole(chargeOf(price, rule), parts);
      }),
      { numRuns: 2_000 },
    );
  });

  it('comes to the whole as it is rounded once, when each part is told the total so far', () => {
    const any = fc.oneof(quantityParts, groupParts);
    fc.assert(
      fc.property(quantityPrices, quantityRules, stages, any, (price, rule, extra, parts) => {
        expectTheWhole({ ...chargeOf(price, rule), ...extra }, parts, {
          mode: 'cumulative',
          rounding: 'line',
        });
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(eventPrices, stages, eventParts, (price, extra, parts) => {
        expectTheWhole({ ...chargeOf(price), ...extra }, parts, { mode: 'cumulative', rounding: 'line' });
      }),
      RUNS,
    );
  });

  it('bills a fee once, with the first part or the last', () => {
    const timing = fc.constantFrom('inAdvance' as const, 'inArrears' as const, null);
    fc.assert(
      fc.property(timing, fc.nat({ max: 500_000 }), stages, quantityParts, (when, amount, extra, parts) => {
        expectTheWhole(
          { timing: when, price: { model: 'flat', amount: moneyText(amount) }, ...extra },
          parts,
        );
      }),
      RUNS,
    );
  });
});

describe('a period that a change cuts', () => {
  /** Segments at one price that last some days each. */
  const segmentsOf = (charge: Charge, parts: readonly Part[], days: readonly number[]) => {
    const length = BigInt(parts.reduce((sum, _, at) => sum + (days[at] ?? 1), 0));
    return parts.map((part, at) => ({
      charge: prepareCharge(charge),
      usage: usageOf(part),
      fraction: fraction(BigInt(days[at] ?? 1), length),
    }));
  };
  const days = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 6, maxLength: 6 });

  const expectSegments = (charge: Charge, parts: readonly Part[], lengths: readonly number[]): void => {
    const segments = segmentsOf(charge, parts, lengths);
    const rated = rateSegments({ segments, decimals: 2, rounding: 'none' });
    expect(toDecimalText(sumOf(rated.map(({ amount }) => amount)))).to.equal(
      toDecimalText(atOnce(charge, parts, {})),
    );
  };

  it('comes to the whole where tiers continue and the price stays: one quantity', () => {
    fc.assert(
      fc.property(quantityPrices, quantityParts, days, (price, parts, lengths) =>
        expectSegments({ ...chargeOf(price), onChange: 'continue' }, parts, lengths),
      ),
      { numRuns: 2_000 },
    );
  });

  it('comes to the whole where tiers continue and the price stays: groups, and events', () => {
    fc.assert(
      fc.property(quantityPrices, groupParts, days, (price, parts, lengths) =>
        expectSegments(chargeOf(price), parts, lengths),
      ),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(eventPrices, eventParts, days, (price, parts, lengths) =>
        expectSegments(chargeOf(price), parts, lengths),
      ),
      { numRuns: 2_000 },
    );
  });

  it('comes to the whole where the stages are prorated and none of them is used up', () => {
    const split = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }));
    fc.assert(
      fc.property(split, fc.nat({ max: 500_000 }), ([first, second], amount) => {
        const charge: Charge = { price: { model: 'flat', amount: moneyText(amount) } };
        const whole = first + second;
        const rated = rateSegments({
          segments: segmentsOf(charge, [{}, {}], [first, second]),
          decimals: 2,
          rounding: 'none',
        });
        const total = sumOf(rated.map((one) => one.amount));
        expect(
          total.minus(moneyText(amount)).abs().lt('1e-50'),
          `${first} and ${second} of ${whole}`,
        ).to.equal(true);
      }),
      RUNS,
    );
  });
});
