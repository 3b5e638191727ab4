import type { Reads } from '#infra/database/database.ts';
import { hardLimitsOf, readLimitsOf, type HardLimit } from './hard-limits.ts';

/** A customer of a namespace. */
export interface CustomerName {
  readonly namespace: string;
  readonly customer: string;
}

/** The hard limits of customers on all their features, by `customerName`. */
export type LimitsByCustomer = ReadonlyMap<string, readonly HardLimit[]>;

const customerName = ({ namespace, customer }: CustomerName): string => `${namespace}\0${customer}`;

export const limitsFor = (limits: LimitsByCustomer, of: CustomerName): readonly HardLimit[] =>
  limits.get(customerName(of)) ?? [];

/** The hard limits of these customers, beside those that are known already; nothing is read where all are. */
export async function readHardLimits(
  from: Reads,
  customers: readonly CustomerName[],
  known: LimitsByCustomer = new Map(),
): Promise<LimitsByCustomer> {
  const missing = new Map(
    customers.map((each) => [customerName(each), each] as const).filter(([name]) => !known.has(name)),
  );
  if (missing.size === 0) return known;
  const read = await Promise.all(
    Array.from(missing, async ([name, { namespace, customer }]) => {
      const rows = await readLimitsOf(from, namespace, customer);
      return [name, rows.flatMap(hardLimitsOf)] as const;
    }),
  );
  return new Map([...known, ...read]);
}
