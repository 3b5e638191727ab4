import { isLimitable } from '#domain/entitlements/limit.ts';
import type { Aggregation } from '#domain/metering/accumulator.ts';
import type { Reads } from '#infra/database/database.ts';
import { EntitlementError } from './errors.ts';
import { customerLimits } from './tables.ts';

/**
 * Whether a version of a meter may become the one that is read. Limit rows count every generation, so nothing is recomputed; but a hard
 * limit cannot go on over a version that neither counts nor sums. Throws `EntitlementError` `aggregation_not_limitable`.
 */
export async function checkActivation(
  from: Reads,
  { namespace, meter, aggregation }: { namespace: string; meter: string; aggregation: Aggregation },
): Promise<void> {
  if (isLimitable(aggregation)) return;
  const range = { prefix: [namespace, meter, true] };
  for await (const { customer, feature } of from.scan(customerLimits, range, { index: 'byMeter', limit: 1 }))
    throw new EntitlementError(
      'aggregation_not_limitable',
      `the meter cannot become one of ${aggregation} while there are hard limits over it, such as that of ${customer} on ${feature}`,
    );
}
