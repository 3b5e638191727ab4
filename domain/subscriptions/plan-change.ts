import type { AnchorChoice } from '../calendar/anchor.ts';
import { floorToMinute, type Instant } from '../instant.ts';
import { violation } from '../pricing/check-number.ts';
import type { Violation } from '../violation.ts';
import { checkReach, minuteOf } from './change-moment.ts';
import type { ChangeMoment, SubscriptionChange } from './change.ts';
import { checkSubscriptionSize } from './check-size.ts';
import { effectsBetween } from './effect.ts';
import { changeTerms } from './change-terms.ts';
import type { PlanVersions } from './plan-versions.ts';
import type { Planned } from './planned.ts';
import type { Subscription } from './subscription.ts';
import type { TermsDelta } from './terms-delta.ts';
import { changeFrom, termsAt, withoutChangeAt } from './timeline.ts';

export interface ChangeContext {
  /** Those that the terms name, and the one that a change goes to. */
  readonly versions: PlanVersions;
  readonly now: Instant;
  /** The customer's anchor as it is by now, where the subscription is aligned with the customer. */
  readonly customerAnchor?: AnchorChoice | undefined;
}

/**
 * What a change of a subscription comes to, as a plan: the subscription after it, and its effects; or all that forbids it. Nothing is written, so
 * that a preview is the same as the change. A moment in the past is allowed as far back as the limits say: what is due is computed from the
 * whole timeline, and invoices settle what was billed otherwise.
 */
export function planChange(
  subscription: Subscription,
  change: SubscriptionChange,
  context: ChangeContext,
): Planned {
  const planned = planOf(subscription, change, context);
  if ('faults' in planned) return planned;
  const faults = checkSubscriptionSize(planned.subscription);
  if (faults.length > 0) return { faults };
  const effects = effectsBetween(subscription, planned.subscription, context.versions);
  return { ...planned, effects: [...effects, ...planned.effects].sort((a, b) => a.at - b.at) };
}

function planOf(subscription: Subscription, change: SubscriptionChange, context: ChangeContext): Planned {
  switch (change.kind) {
    case 'change':
      return atMinute(subscription, change, context, (at) => changeTerms(subscription, at, change, context));
    case 'pause':
      return atMinute(subscription, change, context, (at) =>
        pause(subscription, at, change.until, context.now),
      );
    case 'resume':
      return atMinute(subscription, change, context, (at) => resume(subscription, at));
    case 'cancel':
      return cancel(subscription, change.at, context);
    case 'uncancel':
      return uncancel(subscription, context.now);
    case 'undo':
      return undo(subscription, change.from, context.now);
  }
}

const refused = (pointer: string, code: string, message: string): Planned => ({
  faults: [violation(pointer, code, message)],
});

/** Effects are told by the timelines; a step only adds what they cannot show. */
const becomes = (subscription: Subscription): Planned => ({ subscription, effects: [] });

/** Plans what happens at a moment within the subscription's time. */
function atMinute(
  subscription: Subscription,
  { at: moment }: { readonly at: ChangeMoment },
  context: ChangeContext,
  plan: (at: Instant) => Planned,
): Planned {
  const at = minuteOf(moment, subscription, context);
  if (at === undefined) return refused('', 'subscription_ended', 'it has ended: begin another');
  const faults = [...checkReach('/at', at, context.now), ...checkWithin('/at', subscription, at)];
  return faults.length > 0 ? { faults } : plan(at);
}

function checkWithin(pointer: string, { startAt, endAt }: Subscription, at: Instant): Violation[] {
  if (at < startAt) return [violation(pointer, 'before_start', 'is before the subscription starts')];
  return endAt !== null && at >= endAt
    ? [violation(pointer, 'after_end', 'is not before the end of the subscription')]
    : [];
}

function pause(subscription: Subscription, at: Instant, until: Instant | undefined, now: Instant): Planned {
  if (termsAt(subscription.terms, at).paused)
    return refused('/at', 'already_paused', 'it is paused at that time');
  const paused = withDelta(subscription, at, { paused: true });
  if (until === undefined) return becomes(paused);
  const end = floorToMinute(until);
  const faults = [
    ...checkReach('/until', end, now),
    ...checkWithin('/until', subscription, end),
    ...(end > at ? [] : [violation('/until', 'end_before_start', 'must be a minute after the pause begins')]),
  ];
  return faults.length > 0 ? { faults } : becomes(withDelta(paused, end, { paused: false }));
}

function resume(subscription: Subscription, at: Instant): Planned {
  if (!termsAt(subscription.terms, at).paused)
    return refused('/at', 'not_paused', 'it is not paused at that time');
  return becomes(withDelta(subscription, at, { paused: false }));
}

const withDelta = (subscription: Subscription, at: Instant, delta: TermsDelta): Subscription => ({
  ...subscription,
  terms: changeFrom(subscription.terms, at, delta),
});

/** Before its start it ends where it would have begun, and never begins. What was planned for after the end stays, for an uncancel. */
function cancel(subscription: Subscription, moment: ChangeMoment, context: ChangeContext): Planned {
  const { startAt, endAt } = subscription;
  if (isOver(subscription, context.now)) return refused('', 'subscription_ended', 'it has ended');
  const current = Math.max(floorToMinute(context.now), startAt);
  const periodEnd = minuteOf(moment, { ...subscription, endAt: null }, context);
  const at = periodEnd ?? current;
  const faults = [
    ...checkReach('/at', at, context.now),
    ...(at < startAt ? [violation('/at', 'before_start', 'is before the subscription starts')] : []),
  ];
  if (faults.length > 0) return { faults };
  return becomes(endAt === at ? subscription : { ...subscription, endAt: at });
}

const isOver = ({ endAt }: Subscription, now: Instant): boolean =>
  endAt !== null && endAt <= floorToMinute(now);

function uncancel(subscription: Subscription, now: Instant): Planned {
  if (subscription.endAt === null) return refused('', 'not_cancelled', 'it has no end');
  if (isOver(subscription, now)) return refused('', 'subscription_ended', 'it has ended: begin another');
  return becomes({ ...subscription, endAt: null });
}

function undo(subscription: Subscription, from: Instant, now: Instant): Planned {
  const terms = withoutChangeAt(subscription.terms, from);
  const isEnd = subscription.endAt === from;
  if (from <= now || (terms === undefined && !isEnd))
    return refused('', 'not_planned', 'no change is planned for that time');
  return becomes({
    ...subscription,
    terms: terms ?? subscription.terms,
    endAt: isEnd ? null : subscription.endAt,
  });
}
