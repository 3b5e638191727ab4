import type { Instant } from '../instant.ts';
import type { PlanVersions } from './plan-versions.ts';
import type { Subscription } from './subscription.ts';
import { timelineEvents, type TimelineEvent } from './timeline-event.ts';
import { withoutChangeAt } from './timeline.ts';

/** What is to happen at one moment ahead. */
export interface ScheduledChange {
  readonly from: Instant;
  readonly events: readonly TimelineEvent[];
  /** Whether it was planned by a change, which can be undone: phases come by themselves. */
  readonly undoable: boolean;
}

/** All that is to happen to a subscription after a moment, in order. */
export function scheduleOf(
  subscription: Subscription,
  versions: PlanVersions,
  now: Instant,
): ScheduledChange[] {
  const ahead = timelineEvents(subscription, versions).filter(({ at }) => at > now);
  return [...Map.groupBy(ahead, ({ at }) => at)].map(([from, events]) => ({
    from,
    events,
    undoable: subscription.endAt === from || withoutChangeAt(subscription.terms, from) !== undefined,
  }));
}
