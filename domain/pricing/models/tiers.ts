import { Decimal, HUNDRED, ZERO } from '../../money/decimal.ts';
import type { Fraction } from '../../money/fraction.ts';
import { TIERS_PER_PRICE_MAX } from '../../limits.ts';
import type { Violation } from '../../violation.ts';
import type { PercentTier, Tier } from '../charge.ts';
import { checkNumber, checkOptional, numberOf, violation } from '../check-number.ts';
import { prorateAmount, prorateQuantity } from '../proration.ts';
import { beginBlocks } from './blocks.ts';

/** A tier with its numbers read: the units after `above` up to and including `upTo`. */
export interface PreparedTier {
  readonly number: number;
  readonly above: Decimal;
  readonly upTo: Decimal | undefined;
  readonly unitPrice: Decimal;
  readonly flatFee: Decimal;
  readonly blockSize: Decimal | undefined;
  readonly usageLabel: string;
  readonly feeLabel: string;
}

type AnyTier = Tier | PercentTier;

const A_HUNDREDTH = new Decimal('0.01');

const unitPriceOf = (tier: AnyTier): Decimal =>
  'percent' in tier
    ? new Decimal(tier.percent ?? '0').times(A_HUNDREDTH)
    : new Decimal(('unitPrice' in tier ? tier.unitPrice : undefined) ?? '0');

export function prepareTiers(tiers: readonly AnyTier[]): readonly PreparedTier[] {
  let above = ZERO;
  return tiers.map((tier, index) => {
    const upTo = tier.upTo === null ? undefined : new Decimal(tier.upTo);
    const blockSize = 'blockSize' in tier && tier.blockSize != null ? new Decimal(tier.blockSize) : undefined;
    const prepared = {
      number: index + 1,
      above,
      upTo,
      unitPrice: unitPriceOf(tier),
      flatFee: new Decimal(tier.flatFee ?? '0'),
      blockSize,
      usageLabel: `tier ${index + 1}`,
      feeLabel: `flat fee of tier ${index + 1}`,
    };
    above = upTo ?? above;
    return prepared;
  });
}

/** Tiers of a part of the period: bounds and flat fees are that part of what they are, unit prices stay. */
export const prorateTiers = (tiers: readonly PreparedTier[], fraction: Fraction): readonly PreparedTier[] =>
  tiers.map((tier) => ({
    ...tier,
    above: prorateQuantity(tier.above, fraction),
    upTo: tier.upTo && prorateQuantity(tier.upTo, fraction),
    flatFee: prorateAmount(tier.flatFee, fraction),
  }));

/** What `units` of a tier are sold as: themselves, or the blocks that they begin. */
export const soldUnits = (units: Decimal, { blockSize }: PreparedTier): Decimal =>
  blockSize === undefined ? units : beginBlocks(units, blockSize);

export function tierBends(tiers: readonly PreparedTier[], upTo: Decimal, max: number): readonly Decimal[] {
  const bounds = tiers.flatMap(({ upTo: bound }) => (bound?.lte(upTo) ? [bound] : []));
  return bounds.slice(0, max);
}

/** All that is wrong with a list of tiers. */
export function checkTiers(tiers: readonly AnyTier[], pointer: string): Violation[] {
  if (tiers.length === 0) return [violation(pointer, 'tiers_missing', 'needs at least one tier')];
  if (tiers.length > TIERS_PER_PRICE_MAX)
    return [violation(pointer, 'too_many_tiers', `has more than ${TIERS_PER_PRICE_MAX} tiers`)];
  return tiers.flatMap((tier, index) => [
    ...checkTier(tier, `${pointer}/${index}`),
    ...checkBound(tiers, index, `${pointer}/${index}/upTo`),
  ]);
}

function checkTier(tier: AnyTier, pointer: string): Violation[] {
  const { unitPrice, percent, blockSize }: Partial<Tier & PercentTier> = tier;
  return [
    ...checkOptional(`${pointer}/unitPrice`, unitPrice),
    ...checkOptional(`${pointer}/percent`, percent),
    ...checkOptional(`${pointer}/flatFee`, tier.flatFee),
    ...checkOptional(`${pointer}/blockSize`, blockSize, 'positive'),
  ];
}

function checkBound(tiers: readonly AnyTier[], index: number, pointer: string): Violation[] {
  const bound = tiers[index]?.upTo ?? null;
  const isLast = index === tiers.length - 1;
  if (bound === null)
    return isLast
      ? []
      : [violation(pointer, 'tier_unbounded', 'only the last tier is without a bound (null)')];
  const faults = checkNumber(pointer, bound, 'positive');
  if (faults.length > 0) return faults;
  const before = index === 0 ? undefined : numberOf(tiers[index - 1]?.upTo);
  if (before && numberOf(bound)?.lte(before))
    faults.push(violation(pointer, 'tiers_not_ascending', 'must be above the bound of the tier before'));
  if (isLast)
    faults.push(
      violation(
        pointer,
        'last_tier_bounded',
        'the last tier must be without a bound (null), or usage above has no price',
      ),
    );
  return faults;
}

/** As a percentage, of a price that is a part of each unit of value. */
export const asPercent = (unitPrice: Decimal): Decimal => unitPrice.times(HUNDRED);
