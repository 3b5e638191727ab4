import type { Instant } from '#domain/instant.ts';
import { checkMetadata } from '#infra/customers/customer-definition.ts';
import type { Transaction } from '#infra/database/database.ts';
import { checkSpendThreshold } from './create-subscription.ts';
import { refusal } from './errors.ts';
import {
  existingSubscription,
  type StoredSubscription,
  type SubscriptionPlace,
} from './read-subscriptions.ts';
import { writeSubscription } from './write-subscription.ts';

export interface PatchSubscription extends SubscriptionPlace {
  /** What of a subscription has no history; each whole, as it is to be. */
  readonly fields: Pick<StoredSubscription, 'metadata' | 'spendThreshold'>;
  readonly now: Instant;
}

/** Throws `SubscriptionError`: `subscription_not_found`, `invalid_subscription` with every violation. */
export async function patchSubscription(
  tx: Transaction,
  { namespace, id, fields, now }: PatchSubscription,
): Promise<StoredSubscription> {
  const before = await existingSubscription(tx, { namespace, id });
  const { metadata, spendThreshold } = fields;
  const faults = [...checkMetadata(metadata), ...checkSpendThreshold(spendThreshold)];
  if (faults.length > 0) throw refusal('invalid_subscription', faults);
  const after = { ...before, metadata, spendThreshold, updatedAt: now };
  writeSubscription(tx, namespace, before, after);
  return after;
}
