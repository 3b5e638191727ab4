import { Decimal, ZERO } from '../../money/decimal.ts';
import type { GraduatedPercentagePrice, GraduatedPrice } from '../charge.ts';
import type { Model, ModelDefinition, Part, Stretch } from '../model.ts';
import { checkTiers, prepareTiers, prorateTiers, soldUnits, tierBends, type PreparedTier } from './tiers.ts';

/** A tier and what it comes to when all of it is used, which is the same every time. */
interface Step {
  readonly tier: PreparedTier;
  readonly whole: Part | undefined;
  readonly fee: Part | undefined;
}

/**
 * Each unit costs what the tier says that it falls into. The first tier's flat fee is due even without usage, a later one's when a unit
 * reaches it. Worked: 5 at 10 with a fee of 100, then 5 each with a fee of 50; 7 units are 50 + 100 + 10 + 50 = 210.
 */
export const graduated: ModelDefinition<GraduatedPrice> = {
  check: ({ tiers }, pointer) => checkTiers(tiers, `${pointer}/tiers`),
  prepare: ({ tiers }) => tieredModel('graduated', prepareTiers(tiers)),
};

/** Shared with percentages, whose tiers are of value. */
export function tieredModel(
  model: (GraduatedPrice | GraduatedPercentagePrice)['model'],
  tiers: readonly PreparedTier[],
): Model {
  const steps = tiers.map(stepOf);
  return {
    model,
    input: 'quantity',
    due: 'each',
    linear: false,
    bends: (upTo, max) => tierBends(tiers, upTo, max),
    rate: (stretch) => walk(steps, stretch),
    prorated: (fraction) => tieredModel(model, prorateTiers(tiers, fraction)),
  };
}

function stepOf(tier: PreparedTier): Step {
  const width = tier.upTo?.minus(tier.above);
  return {
    tier,
    whole: width && !width.isZero() ? usagePart(tier, soldUnits(width, tier)) : undefined,
    fee: tier.flatFee.isZero() ? undefined : feePart(tier, tier.flatFee),
  };
}

const usagePart = (tier: PreparedTier, quantity: Decimal): Part => ({
  kind: 'usage',
  label: tier.usageLabel,
  tier: tier.number,
  quantity,
  unitPrice: tier.unitPrice,
  amount: quantity.times(tier.unitPrice),
});

const feePart = (tier: PreparedTier, amount: Decimal): Part => ({
  kind: 'fixed',
  label: tier.feeLabel,
  tier: tier.number,
  quantity: amount.isNegative() ? new Decimal(-1) : new Decimal(1),
  unitPrice: tier.flatFee,
  amount,
});

/** Usage that shrinks (`to` below `from`) gives back what its units, and the fees of tiers that are no longer reached, had cost. */
function walk(steps: readonly Step[], { from, to, begins }: Stretch): readonly Part[] {
  const parts: Part[] = [];
  const grows = from.lte(to);
  const [least, most] = grows ? [from, to] : [to, from];
  for (const { tier, whole, fee } of steps) {
    const { above, upTo, number } = tier;
    const isFirst = number === 1;
    const fromStart = least.isZero() || least.lte(above);
    const overBound = upTo ? most.comparedTo(upTo) : -1;
    if (fee && (isFirst ? begins : fromStart))
      parts.push(isFirst || grows ? fee : feePart(tier, tier.flatFee.neg()));
    if (whole && grows && fromStart && overBound >= 0) parts.push(whole);
    else if (fromStart || !upTo || least.lt(upTo)) {
      const units = unitsUpTo(tier, most);
      const change = fromStart ? units : units.minus(unitsUpTo(tier, least));
      if (!change.isZero()) parts.push(usagePart(tier, grows ? change : change.neg()));
    }
    if (overBound <= 0) break;
  }
  return parts;
}

/** What is sold of a tier when the period has come to a quantity. */
function unitsUpTo(tier: PreparedTier, quantity: Decimal): Decimal {
  if (quantity.lte(tier.above)) return ZERO;
  const end = tier.upTo && quantity.gt(tier.upTo) ? tier.upTo : quantity;
  return soldUnits(tier.above.isZero() ? end : end.minus(tier.above), tier);
}
