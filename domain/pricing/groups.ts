import { ZERO, type Decimal } from '../money/decimal.ts';
import { divide } from '../money/rounding.ts';
import { QUANTITY_DECIMALS } from '../metering/quantity.ts';
import type { Dimensions, UsageGroup } from './usage.ts';

type Entry = readonly [name: string, value: string];

const inOrder = (dimensions: Dimensions): readonly Entry[] =>
  Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** A group under one key, whatever the order of its dimensions. */
export const groupKey = (dimensions: Dimensions): string => JSON.stringify(inOrder(dimensions));

/**
 * Groups by key in the order of keys, each once, its dimensions in the order of their names: in whatever order and pieces they come, they
 * are rated alike, to the byte.
 */
export function mergeGroups(groups: readonly UsageGroup[]): ReadonlyMap<string, UsageGroup> {
  const merged = new Map<string, UsageGroup>();
  for (const { dimensions, quantity } of groups) {
    const entries = inOrder(dimensions);
    const key = JSON.stringify(entries);
    const known = merged.get(key);
    merged.set(
      key,
      known
        ? { dimensions: known.dimensions, quantity: known.quantity.plus(quantity) }
        : { dimensions: entries.length > 1 ? Object.fromEntries(entries) : dimensions, quantity },
    );
  }
  return new Map([...merged].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * What each group has of the free units: in proportion to its units, to 18 decimals, the last of them what is left. Worked: 10 free of
 * 30 and 10 are 7.5 and 2.5.
 */
export function spreadFree(free: Decimal, units: readonly Decimal[]): readonly Decimal[] {
  if (free.isZero()) return units.map(() => ZERO);
  const total = units.reduce((sum, each) => sum.plus(each), ZERO);
  if (total.lte(free)) return units;
  let left = free;
  let leftOf = total;
  return units.map((each) => {
    const share = leftOf.eq(each)
      ? left
      : divide(left.times(each), leftOf, { decimals: QUANTITY_DECIMALS, rounding: 'down' });
    left = left.minus(share);
    leftOf = leftOf.minus(each);
    return share;
  });
}
