import type { Instant } from '../instant.ts';
import { boundsIn } from '../plans/plan-parts.ts';
import { numberOf } from '../pricing/check-number.ts';
import { canBeDue } from './can-be-due.ts';
import { chargesIn } from './charges-in-force.ts';
import type { PlanVersions } from './plan-versions.ts';
import { stretchAt, stretchesOf, type Stretch } from './stretch.ts';
import type { Subscription, SubscriptionState } from './subscription.ts';

/** What a subscription is in at a moment. */
export interface SubscriptionStanding {
  readonly state: SubscriptionState;
  /** The key of the phase; null before the start and after the end. */
  readonly phase: string | null;
}

export function subscriptionState(
  subscription: Subscription,
  versions: PlanVersions,
  at: Instant,
): SubscriptionStanding {
  const { startAt, endAt } = subscription;
  // Cancelled before it began, it never does.
  if (endAt !== null && endAt <= startAt) return { state: 'ended', phase: null };
  if (at < startAt) return { state: 'scheduled', phase: null };
  const stretch = stretchAt(stretchesOf(subscription, versions), at);
  if (stretch === undefined) return { state: 'ended', phase: null };
  return { state: stateIn(stretch, subscription.currency), phase: stretch.phase.key };
}

function stateIn(stretch: Stretch, currency: string): SubscriptionState {
  if (stretch.terms.paused) return 'paused';
  return isTrial(stretch, currency) ? 'trialing' : 'active';
}

/** A phase that ends, and in which nothing can be due. A plan that is free for good is no trial. */
function isTrial(stretch: Stretch, currency: string): boolean {
  if (stretch.phase.duration == null) return false;
  const { minimum } = boundsIn(stretch.version, stretch.phase);
  const atLeast = numberOf(minimum?.amount[currency]);
  if (atLeast && !atLeast.isZero()) return false;
  return chargesIn(stretch, currency).every(({ charge }) => !canBeDue(charge));
}
