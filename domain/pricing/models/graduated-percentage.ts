import type { GraduatedPercentagePrice } from '../charge.ts';
import type { ModelDefinition } from '../model.ts';
import { tieredModel } from './graduated.ts';
import { checkTiers, prepareTiers } from './tiers.ts';

/**
 * A percentage of a value by tiers of that value, each with a flat fee as in `graduated`. Worked: 1 % up to 10 with a fee of 200, then 2 %
 * with a fee of 300; 11 are 0.10 + 200 + 0.02 + 300 = 500.12.
 */
export const graduatedPercentage: ModelDefinition<GraduatedPercentagePrice> = {
  check: ({ tiers }, pointer) => checkTiers(tiers, `${pointer}/tiers`),
  prepare: ({ tiers }) =>
    tieredModel(
      'graduatedPercentage',
      prepareTiers(tiers.map((tier) => ({ ...tier, percent: tier.percent ?? '0' }))),
    ),
};
