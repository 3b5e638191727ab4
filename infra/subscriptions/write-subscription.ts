import type { Instant } from '#domain/instant.ts';
import { planVersionName, versionsNamed, type PlanVersionRef } from '#domain/subscriptions/plan-versions.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import type { Transaction } from '#infra/database/database.ts';
import type { StoredSubscription } from './read-subscriptions.ts';
import { subscription as subscriptionTable, versionSubscription } from './tables.ts';

/**
 * Stores a subscription and keeps the rows that find it by plan version in step. `before` is what is stored now. Every write comes through here:
 * which rows there are follows from the subscription as of its own `updatedAt`.
 */
export function writeSubscription(
  tx: Transaction,
  namespace: string,
  before: StoredSubscription | undefined,
  after: StoredSubscription,
): void {
  tx.upsert(subscriptionTable, { namespace, ...after });
  const [was, is] = [
    before ? versionsAhead(before, before.updatedAt) : [],
    versionsAhead(after, after.updatedAt),
  ];
  const [known, wanted] = [namesOf(was), namesOf(is)];
  for (const { plan, version } of was)
    if (!wanted.has(planVersionName({ plan, version })))
      tx.delete(versionSubscription, [namespace, plan, version, after.id]);
  for (const { plan, version } of is)
    if (!known.has(planVersionName({ plan, version })))
      tx.insert(versionSubscription, { namespace, plan, version, subscription: after.id });
}

const namesOf = (refs: readonly PlanVersionRef[]): Set<string> => new Set(refs.map(planVersionName));

/** The versions that a subscription is on at a moment or later. */
export function versionsAhead(
  { terms, endAt }: Pick<Subscription, 'terms' | 'endAt'>,
  at: Instant,
): readonly PlanVersionRef[] {
  const ahead = terms.filter(({ from }, index) => {
    const to = Math.min(terms[index + 1]?.from ?? Infinity, endAt ?? Infinity);
    return to > at && from < to;
  });
  return versionsNamed({ terms: ahead });
}
