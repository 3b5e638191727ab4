import fc from 'fast-check';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import type { ItemInputs, MeasuredUsage } from '#domain/invoicing/invoice-inputs.ts';
import { usageNeeded } from '#domain/invoicing/usage-needed.ts';
import type { PlanCharge } from '#domain/plans/plan-version.ts';
import { ON_CHANGE, PRORATIONS, type Price } from '#domain/pricing/charge.ts';
import type { ChargeItem } from '#domain/subscriptions/billing-item.ts';
import { APRIL, chargeOf, itemOf, perUnit, type SegmentTerms } from './invoice-builders.ts';

/** Random items with all that was ever used of them, so that any beginning of them can be measured. */

const DAYS = 30;
export const dayAt = (day: number): number => APRIL.from + day * MICROS_PER_DAY;
const dateOf = (day: number): string => `2026-04-${String(day + 1).padStart(2, '0')}`;

const cents = fc.integer({ min: 0, max: 999 }).map((each) => (each / 100).toFixed(2));
const unitPrice = fc.integer({ min: 0, max: 99_999 }).map((each) => `0.${String(each).padStart(5, '0')}`);

const tiers = fc
  .tuple(
    fc.integer({ min: 1, max: 300 }),
    fc.array(fc.tuple(unitPrice, cents), { minLength: 2, maxLength: 2 }),
  )
  .map(([bound, rates]) =>
    rates.map(([price, flatFee], index) => ({
      upTo: index === 0 ? String(bound) : null,
      unitPrice: price,
      flatFee,
    })),
  );

const price: fc.Arbitrary<Price> = fc.oneof(
  unitPrice.map(perUnit),
  tiers.map((each): Price => ({ model: 'graduated', tiers: each })),
  tiers.map((each): Price => ({ model: 'volume', tiers: each })),
  fc
    .tuple(fc.integer({ min: 1, max: 50 }), cents)
    .map(([size, amount]): Price => ({ model: 'package', size: String(size), price: amount })),
  fc.tuple(unitPrice, unitPrice).map(([a, other]): Price => ({
    model: 'matrix',
    dimensions: ['model'],
    cells: [{ match: { model: 'a' }, unitPrice: a }],
    defaultUnitPrice: other,
  })),
  fc.tuple(cents, cents, fc.integer({ min: 0, max: 5 })).map(([percent, fee, free]): Price => ({
    model: 'percentage',
    percent,
    feePerEvent: fee,
    freeEvents: String(free),
  })),
);

const terms = fc.record(
  {
    quantity: fc.integer({ min: 0, max: 200 }).map((free) => ({ free: String(free) })),
    discount: fc.oneof(
      fc.integer({ min: 1, max: 100 }).map((percent) => ({ percent: String(percent) })),
      cents.map((amount) => ({ amount })),
    ),
    maximum: fc.integer({ min: 0, max: 100 }).map(String),
    minimum: fc.integer({ min: 0, max: 50 }).map(String),
    onChange: fc.constantFrom(...ON_CHANGE),
    tiersOver: fc.constantFrom('line' as const, 'total' as const),
    proration: fc.constantFrom(...PRORATIONS),
  },
  { requiredKeys: [] },
);

/** Free units and conversions are of quantities, not of events that are priced one by one. */
const usageCharge: fc.Arbitrary<PlanCharge> = fc
  .tuple(price, terms)
  .map(([of, { quantity, maximum, minimum, ...more }]) => {
    const isFitting = maximum === undefined || minimum === undefined || Number(minimum) <= Number(maximum);
    return chargeOf('tokens', of, {
      ...more,
      meter: 'tokens',
      ...(quantity && of.model !== 'percentage' ? { quantity } : {}),
      ...(maximum === undefined ? {} : { maximum }),
      ...(minimum === undefined || !isFitting ? {} : { minimum }),
    });
  });

const changeDays = (max: number): fc.Arbitrary<number[]> =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: DAYS - 1 }), { maxLength: max })
    .map((days) => days.sort((a, b) => a - b));

interface UsedUnits {
  readonly day: number;
  readonly units: number;
  readonly model: string;
}

export interface UsedItem {
  readonly item: ChargeItem;
  readonly used: readonly UsedUnits[];
}

/** A month of one charge with some changes in it, and what was used on its days. */
export const usedItem: fc.Arbitrary<UsedItem> = fc
  .tuple(
    usageCharge,
    changeDays(3),
    fc.array(
      fc.record({
        day: fc.integer({ min: 0, max: DAYS - 1 }),
        units: fc.integer({ min: 0, max: 150 }),
        model: fc.constantFrom('a', 'b', 'c'),
      }),
      { maxLength: 20 },
    ),
  )
  .map(([charge, days, used]) => {
    const segments = [0, ...days].map((day, index) => ({ from: dateOf(day), version: index + 1 }));
    return { item: itemOf('usage', charge, { segments }), used: used.sort((a, b) => a.day - b.day) };
  });

const FINGERPRINT = '0'.repeat(32);
const OF_METER = { meter: 'tokens', meterVersion: 1 } as const;

/** What is measured of each segment up to a moment. */
export function measuredThrough(
  { item, used }: UsedItem,
  through: number,
): Pick<ItemInputs, 'through' | 'usage'> {
  const usage = item.segments
    .filter(({ from }) => from < through)
    .map(({ from, to, charge, price: priced }): MeasuredUsage => {
      const here = used.filter(({ day }) => dayAt(day) >= from && dayAt(day) < Math.min(to, through));
      return measured(usageNeeded(charge, priced).kind, here);
    });
  return { through, usage };
}

function measured(kind: ReturnType<typeof usageNeeded>['kind'], here: readonly UsedUnits[]): MeasuredUsage {
  if (kind === 'events')
    return {
      ...OF_METER,
      kind: 'events',
      events: here.map(({ units }) => ({ value: String(units) })),
      fingerprint: FINGERPRINT,
    };
  const sumOf = (all: readonly UsedUnits[]): string => String(all.reduce((sum, { units }) => sum + units, 0));
  if (kind !== 'groups')
    return { ...OF_METER, kind: 'quantity', quantity: sumOf(here), fingerprint: FINGERPRINT };
  const byModel = Map.groupBy(here, ({ model }) => model);
  return {
    ...OF_METER,
    kind: 'groups',
    groups: [...byModel].map(([model, all]) => ({
      dimensions: { model },
      quantity: sumOf(all),
      fingerprint: FINGERPRINT,
    })),
  };
}

/** Moments up to which an item is billed before it is over, in order. */
export const cuts: fc.Arbitrary<number[]> = changeDays(4).map((days) => days.map(dayAt));

const feeSegment = fc.record({
  plan: fc.constantFrom('basic', 'team'),
  version: fc.integer({ min: 1, max: 2 }),
  seats: fc.integer({ min: 0, max: 4 }).map(String),
  discount: fc.option(fc.constantFrom('10', '33.3')),
});

const UNIT_PRICES: Readonly<Record<string, string>> = { basic: '9.99', team: '20' };

/** The forms that one fee item takes through changes of its subscription: other seats, plans and ends of the same beginning. */
export const feeForms: fc.Arbitrary<ChargeItem[]> = fc.array(
  fc
    .tuple(
      changeDays(3),
      fc.array(feeSegment, { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 1, max: DAYS }),
    )
    .map(([days, all, end]) => {
      const starts = [0, ...days].filter((day) => day < end);
      const segments = starts.map((day, index): SegmentTerms => {
        const { plan = 'basic', version = 1, seats = '1', discount = null } = all[index] ?? {};
        return {
          from: dateOf(day),
          plan,
          version,
          seats,
          price: perUnit(UNIT_PRICES[plan] ?? '1'),
          ...(discount === null ? {} : { charge: { discount: { percent: discount } } }),
        };
      });
      const charge = chargeOf('seats', perUnit('1'), { timing: 'inAdvance' });
      return itemOf('fee', charge, { whole: APRIL, period: { from: APRIL.from, to: dayAt(end) }, segments });
    }),
  { minLength: 1, maxLength: 6 },
);
