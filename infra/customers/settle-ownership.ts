import type { Instant } from '#domain/instant.ts';
import type { Transaction } from '#infra/database/database.ts';
import { refreshLimitsOf } from '#infra/entitlements/refresh-limits.ts';

export interface OwnershipChange {
  readonly namespace: string;
  /** The customers that won or lost time of a subject. */
  readonly customers: Iterable<string>;
  readonly now: Instant;
}

/**
 * What follows from a change of ownership, in its transaction: limits count the usage of the subjects that a customer now has, and the
 * subjects know whether a limit watches them. `tx` must see its own writes.
 */
export async function settleOwnership(
  tx: Transaction,
  { namespace, customers, now }: OwnershipChange,
): Promise<void> {
  // One after the other: two of them may have had the same subject, and each reads what the one before wrote.
  for (const customer of customers) await refreshLimitsOf(tx, { namespace, customer, now });
}
