import type { Instant } from '../instant.ts';
import type { Notice } from '../plans/compatibility.ts';
import type { PlanVersions } from './plan-versions.ts';
import type { Subscription } from './subscription.ts';
import { timelineEvents, type TimelineEvent } from './timeline-event.ts';

/** What a change does: something happens that did not before, or what was to happen does not; or it is to be known. */
export type Effect =
  | (TimelineEvent & { readonly dropped: boolean })
  | (Notice & { readonly at: Instant; readonly kind: 'notice' });

/** The difference between two timelines of one subscription, in the order of time. Without one before, all of it. */
export function effectsBetween(
  before: Subscription | undefined,
  after: Subscription,
  versions: PlanVersions,
): Effect[] {
  const was = before === undefined ? [] : timelineEvents(before, versions);
  const will = timelineEvents(after, versions);
  const [known, wanted] = [new Set(was.map(textOf)), new Set(will.map(textOf))];
  return [
    ...was.filter((event) => !wanted.has(textOf(event))).map((event) => ({ ...event, dropped: true })),
    ...will.filter((event) => !known.has(textOf(event))).map((event) => ({ ...event, dropped: false })),
  ].sort((a, b) => a.at - b.at);
}

const textOf = (event: TimelineEvent): string => JSON.stringify(event);
