import { Decimal, parseDecimal, ZERO } from '../money/decimal.ts';
import {
  addFractions,
  multiplyFractions,
  NONE,
  sumFractions,
  toFraction,
  type Fraction,
} from '../money/fraction.ts';
import type { Tier } from './charge.ts';

/** A change of a level that lasts, such as seats: by how much, and for which part of the period. */
export interface LevelChange {
  /** Below 0 where the level falls. */
  readonly quantity: Decimal;
  readonly share: Fraction;
}

/** A tier whose units have a price each: blocks cannot be prorated unit by unit. */
export type LevelTier = Omit<Tier, 'blockSize'>;

/**
 * The level of a period on average: what was carried into it, and each change for its part of the period. Exact.
 * Worked: 5 carried in and 12 more for 6 of 31 days are 5 + 72/31.
 */
export const proratedLevel = (carried: Decimal, changes: readonly LevelChange[]): Fraction =>
  sumFractions([toFraction(carried), ...changes.map(proratedChange)]);

const proratedChange = ({ quantity, share }: LevelChange): Fraction =>
  multiplyFractions(toFraction(quantity), share);

/**
 * What a level costs that moves through graduated tiers: the units of a change are priced in the tiers that it passes, each for the
 * change's part of the period, and given back from there when the level falls. Flat fees are due in full for every tier that the highest
 * level reaches. Nothing is due when the level ends below 0. Exact; the tiers are checked ones.
 * Worked: tiers to 5 at 10 and beyond at 5; 4 units for all of the period and 2 more for half of it are 40 + (10 + 5) / 2.
 */
export function proratedTiers(tiers: readonly LevelTier[], changes: readonly LevelChange[]): Fraction {
  let [level, highest, amount] = [ZERO, ZERO, NONE];
  for (const { quantity, share } of changes) {
    const next = level.plus(quantity);
    const price = unitsUpTo(tiers, next).minus(unitsUpTo(tiers, level));
    amount = addFractions(amount, multiplyFractions(toFraction(price), share));
    level = next;
    highest = Decimal.max(highest, level);
  }
  return level.isNegative() ? NONE : addFractions(amount, toFraction(feesUpTo(tiers, highest)));
}

/** What the units of a level cost without fees; below 0 as much less as the first tier says. */
function unitsUpTo(tiers: readonly LevelTier[], level: Decimal): Decimal {
  let [amount, from] = [ZERO, ZERO];
  for (const { upTo, unitPrice } of tiers) {
    const to = upTo === null ? level : Decimal.min(parseDecimal(upTo), level);
    amount = amount.plus(to.minus(from).times(parseDecimal(unitPrice ?? '0')));
    if (to.eq(level)) break;
    from = to;
  }
  return amount;
}

/** The first tier's fee is due in any case, a later one's beyond the tier before. */
function feesUpTo(tiers: readonly LevelTier[], level: Decimal): Decimal {
  let amount = ZERO;
  for (const { upTo, flatFee } of tiers) {
    amount = amount.plus(parseDecimal(flatFee ?? '0'));
    if (upTo === null || level.lte(upTo)) break;
  }
  return amount;
}
