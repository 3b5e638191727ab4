import { floorToMinute, MICROS_PER_DAY, type Instant } from '../instant.ts';
import { SUBSCRIPTION_AHEAD_MICROS_MAX, SUBSCRIPTION_BACKDATED_MICROS_MAX } from '../limits.ts';
import { violation } from '../pricing/check-number.ts';
import type { Violation } from '../violation.ts';
import type { ChangeMoment } from './change.ts';
import { periodEndAt } from './period-end.ts';
import type { PlanVersions } from './plan-versions.ts';
import type { Subscription } from './subscription.ts';

/** The minute that a moment of a change means, for a subscription as it is now. Undefined when it is over, so that it has no period. */
export function minuteOf(
  moment: ChangeMoment,
  subscription: Subscription,
  { versions, now }: { readonly versions: PlanVersions; readonly now: Instant },
): Instant | undefined {
  if (typeof moment === 'number') return floorToMinute(moment);
  const current = Math.max(floorToMinute(now), subscription.startAt);
  return moment === 'now' ? current : periodEndAt(subscription, versions, current);
}

const inDays = (micros: number): number => micros / MICROS_PER_DAY;

/** What is wrong with a moment at which a subscription is to begin, change or end. */
export function checkReach(pointer: string, at: Instant, now: Instant): Violation[] {
  if (at < floorToMinute(now) - SUBSCRIPTION_BACKDATED_MICROS_MAX)
    return [
      violation(
        pointer,
        'too_far_back',
        `is at most ${inDays(SUBSCRIPTION_BACKDATED_MICROS_MAX)} days in the past`,
      ),
    ];
  if (at > now + SUBSCRIPTION_AHEAD_MICROS_MAX)
    return [
      violation(pointer, 'too_far_ahead', `is at most ${inDays(SUBSCRIPTION_AHEAD_MICROS_MAX)} days ahead`),
    ];
  return [];
}
