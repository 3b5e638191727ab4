import type { Instant } from '#domain/instant.ts';
import { subjectsOfCustomer } from '#infra/customers/own-subjects.ts';
import type { Database } from '#infra/database/database.ts';
import { writeLimitRows } from '#infra/entitlements/limit-rows.ts';
import { recountLimits } from '#infra/entitlements/refresh-limits.ts';
import { customerLimits } from '#infra/entitlements/tables.ts';

export interface LimitsOfMeter {
  readonly namespace: string;
  readonly meter: string;
  readonly now: () => Instant;
}

/**
 * Counts every hard limit over a meter anew from the cells, for every generation of it, a customer's limits of one feature at a time. What is set
 * or changed meanwhile is counted from the same cells; and from then on commits and corrections keep the rows as they keep cells. Doing it again
 * changes nothing. Returns the number of customers' features.
 */
export async function recountLimitsOfMeter(
  database: Database,
  { namespace, meter, now }: LimitsOfMeter,
): Promise<number> {
  let counted = 0;
  for await (const { customer, feature } of database.scan(
    customerLimits,
    { prefix: [namespace, meter, true] },
    { index: 'byMeter' },
  )) {
    await database.transact(async (tx) => {
      const [of] = await tx.read(customerLimits, [[namespace, customer, feature]]);
      if (of?.hasHard !== true) return;
      const subjects = await subjectsOfCustomer(tx, namespace, customer);
      writeLimitRows(tx, await recountLimits(tx, of, { subjects, now: now() }), now());
    });
    counted++;
  }
  return counted;
}
