import type { Discount } from '../pricing/charge.ts';
import type { ChargeInCurrency, PlanCharge } from './plan-version.ts';

/**
 * A charge as a subscription in a currency pays it: with the money of that currency where the charge has some, and as it is written
 * otherwise, which is in the plan's first currency, or has no money in it at all. The percentage of a discount is no money: it holds in every
 * currency that gives none of its own. The answer is in one currency and names no other.
 */
export function chargeIn(currency: string, charge: PlanCharge): PlanCharge {
  let byCurrency = known.get(charge);
  if (!byCurrency) known.set(charge, (byCurrency = new Map<string, PlanCharge>()));
  let found = byCurrency.get(currency);
  if (!found) byCurrency.set(currency, (found = paidIn(currency, charge)));
  return found;
}

/** Charges are plain data that many subscriptions share: whatever is made of one in a currency is made once. */
const known = new WeakMap<PlanCharge, Map<string, PlanCharge>>();

function paidIn(currency: string, charge: PlanCharge): PlanCharge {
  const { inCurrency, ...inFirst } = charge;
  const money = inCurrency?.[currency];
  if (!money) return inFirst;
  const { price, rates, minimum, maximum } = money;
  return {
    ...inFirst,
    price,
    rates: rates ?? null,
    discount: discountIn(money, charge.discount),
    maximum: maximum ?? null,
    minimum: minimum ?? null,
  };
}

/** A percentage is the same everywhere; an amount belongs to its currency. */
function discountIn({ discount }: ChargeInCurrency, inFirst: Discount | null | undefined): Discount | null {
  const percent = discount?.percent ?? inFirst?.percent ?? null;
  const amount = discount?.amount ?? null;
  return percent === null && amount === null ? null : { percent, amount };
}
