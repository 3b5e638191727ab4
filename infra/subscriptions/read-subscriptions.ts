import type { Instant } from '#domain/instant.ts';
import {
  planVersionName,
  planVersions,
  versionsNamed,
  type PlanVersionRef,
  type PlanVersions,
} from '#domain/subscriptions/plan-versions.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import type { Reads } from '#infra/database/database.ts';
import { readPlanVersions } from '#infra/plans/read-plans.ts';
import { SubscriptionError } from './errors.ts';
import { subscription as subscriptionTable, type SubscriptionRow } from './tables.ts';

/** A subscription with what is said of it that nothing is computed from. */
export interface StoredSubscription extends Subscription {
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export interface SubscriptionPlace {
  readonly namespace: string;
  readonly id: string;
}

export function storedSubscription({ namespace: _, ...stored }: SubscriptionRow): StoredSubscription {
  return stored;
}

/** In the order of the ids; undefined where there is none. One round trip. */
export async function readSubscriptions(
  from: Reads,
  namespace: string,
  ids: readonly string[],
): Promise<(StoredSubscription | undefined)[]> {
  if (ids.length === 0) return [];
  const rows = await from.read(
    subscriptionTable,
    ids.map((id) => [namespace, id]),
  );
  return rows.map((row) => row && storedSubscription(row));
}

/** Throws `SubscriptionError` `subscription_not_found`. */
export async function existingSubscription(
  from: Reads,
  { namespace, id }: SubscriptionPlace,
): Promise<StoredSubscription> {
  const [found] = await readSubscriptions(from, namespace, [id]);
  if (found === undefined)
    throw new SubscriptionError('subscription_not_found', `there is no subscription ${id}`);
  return found;
}

/** Subscriptions of one customer in the order in which they were made, those that have ended too. */
export async function listSubscriptions(
  from: Reads,
  { namespace, customer }: { readonly namespace: string; readonly customer: string },
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<StoredSubscription[]> {
  const range = { prefix: [namespace, customer], ...(after === undefined ? {} : { from: after }) };
  // The range is closed below, so the one named by `after` itself comes first.
  const options = { index: 'byCustomer', limit: limit + 1 };
  const rows = await Array.fromAsync(from.scan(subscriptionTable, range, options), storedSubscription);
  return rows.filter(({ id }) => id !== after).slice(0, limit);
}

/** All subscriptions of a customer, of which there is a bounded number. */
export const subscriptionsOfCustomer = (
  from: Reads,
  namespace: string,
  customer: string,
): Promise<StoredSubscription[]> =>
  Array.fromAsync(
    from.scan(subscriptionTable, { prefix: [namespace, customer] }, { index: 'byCustomer' }),
    storedSubscription,
  );

/** One subscription of a customer that has not ended yet, perhaps not even begun; undefined when there is none. */
export async function runningSubscription(
  from: Reads,
  {
    namespace,
    customer,
    now,
  }: { readonly namespace: string; readonly customer: string; readonly now: Instant },
): Promise<StoredSubscription | undefined> {
  const all = await subscriptionsOfCustomer(from, namespace, customer);
  return all.find(({ startAt, endAt }) => endAt === null || (endAt > now && endAt > startAt));
}

/** The versions that subscriptions name, and further ones, in one round trip. They are all there: nothing deletes a published version. */
export async function readVersionsNamed(
  from: Reads,
  namespace: string,
  subscriptions: readonly Subscription[],
  more: readonly PlanVersionRef[] = [],
): Promise<PlanVersions> {
  const refs = versionsNamed({ terms: [...subscriptions.flatMap(({ terms }) => terms), ...more] });
  const versions = await readPlanVersions(from, namespace, refs);
  return planVersions(
    versions.map((version, place) => {
      const ref = refs[place];
      if (version !== undefined) return version;
      throw new Error(`plan version ${ref ? planVersionName(ref) : ''} is not there`);
    }),
  );
}
