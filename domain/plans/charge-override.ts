import type { ChargeOverride } from '../subscriptions/subscription.ts';
import type { PlanCharge } from './plan-version.ts';

/**
 * A charge as one subscription pays it. The override is in the subscription's currency, so the charge is too (`chargeIn`). What the override
 * does not say stays; a price of its own holds on all dates.
 */
export function withOverride(charge: PlanCharge, override: ChargeOverride | undefined): PlanCharge {
  if (!override) return charge;
  const { price, quantity, discount } = override;
  return {
    ...charge,
    ...(price == null ? {} : { price, rates: null }),
    ...(quantity == null ? {} : { quantity }),
    ...(discount == null ? {} : { discount }),
  };
}
