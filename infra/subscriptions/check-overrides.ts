import { chargeIn } from '#domain/plans/charge-in.ts';
import { withOverride } from '#domain/plans/charge-override.ts';
import { chargesOf } from '#domain/plans/plan-parts.ts';
import type { PlanVersion } from '#domain/plans/plan-version.ts';
import type { ChargeOverride } from '#domain/subscriptions/subscription.ts';
import { pointerStep, type Violation } from '#domain/violation.ts';
import type { Reads } from '#infra/database/database.ts';
import { countingMeters } from '#infra/plans/publish-version.ts';
import { checkMeterServes } from '#infra/rating/check-meter-serves.ts';

export interface OverridesOf {
  readonly version: PlanVersion;
  readonly currency: string;
  readonly overrides: Readonly<Record<string, ChargeOverride | null>>;
}

/** What keeps meters from telling what prices of a subscription's own ask. Whether those are prices at all, the timeline judges. */
export async function checkOverriddenPrices(
  from: Reads,
  namespace: string,
  { version, currency, overrides }: OverridesOf,
): Promise<Violation[]> {
  const priced = new Map(Object.entries(overrides).filter(([, override]) => override?.price != null));
  const charges = chargesOf(version)
    .map(({ charge }) => charge)
    .filter(({ key, meter }) => meter != null && priced.has(key));
  if (charges.length === 0) return [];
  const keys = new Set(charges.flatMap(({ meter }) => meter ?? []));
  const meters = await countingMeters(from, namespace, keys);
  const faults = charges.flatMap((charge) => {
    const paid = withOverride(chargeIn(currency, charge), priced.get(charge.key) ?? undefined);
    return checkMeterServes(paid, meters, `/overrides/${pointerStep(charge.key)}`);
  });
  return [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.code}`, fault])).values()];
}
