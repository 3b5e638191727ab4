import { ONE, ZERO, type Decimal } from '../../money/decimal.ts';
import type { VolumePrice } from '../charge.ts';
import type { Model, ModelDefinition, Part, Stretch } from '../model.ts';
import { checkTiers, prepareTiers, prorateTiers, soldUnits, tierBends, type PreparedTier } from './tiers.ts';

/**
 * The first tier whose bound covers all units of the period prices every one of them, and its flat fee is due once, even without usage.
 * Worked: 2 each up to 100, then 1 each; 100 units are 200, 101 are 101.
 */
export const volume: ModelDefinition<VolumePrice> = {
  check: ({ tiers }, pointer) => checkTiers(tiers, `${pointer}/tiers`),
  prepare: ({ tiers }) => volumeModel(prepareTiers(tiers)),
};

const volumeModel = (tiers: readonly PreparedTier[]): Model => ({
  model: 'volume',
  input: 'quantity',
  due: 'last',
  linear: false,
  bends: (upTo, max) => tierBends(tiers, upTo, max),
  rate: (stretch) => rate(tiers, stretch),
  prorated: (fraction) => volumeModel(prorateTiers(tiers, fraction)),
});

function rate(
  tiers: readonly PreparedTier[],
  { from, to, tierQuantity = to, feeDue }: Stretch,
): readonly Part[] {
  const tier = tierCovering(tiers, tierQuantity);
  if (tier === undefined) return [];
  // A block that was begun before is sold already.
  const quantity = from.isZero() ? soldUnits(to, tier) : soldUnits(to, tier).minus(soldUnits(from, tier));
  const parts: Part[] = [];
  const { number, unitPrice, flatFee } = tier;
  if (!flatFee.isZero() && feeDue)
    parts.push({
      kind: 'fixed',
      label: tier.feeLabel,
      tier: number,
      quantity: ONE,
      unitPrice: flatFee,
      amount: flatFee,
    });
  if (!quantity.isZero() || parts.length === 0)
    parts.push({
      kind: 'usage',
      label: tier.usageLabel,
      tier: number,
      quantity,
      unitPrice,
      amount: quantity.isZero() ? ZERO : quantity.times(unitPrice),
    });
  return parts;
}

/** Bounds ascend, so the tier is found by halving. */
function tierCovering(tiers: readonly PreparedTier[], quantity: Decimal): PreparedTier | undefined {
  let [low, high] = [0, tiers.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    const bound = tiers[middle]?.upTo;
    if (bound === undefined || quantity.lte(bound)) high = middle;
    else low = middle + 1;
  }
  return tiers[low];
}
