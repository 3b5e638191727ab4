import { floorToMinute, type Instant } from '../instant.ts';
import { checkChoice, named } from '../plans/check-choice.ts';
import { violation } from '../pricing/check-number.ts';
import type { Violation } from '../violation.ts';
import { checkReach } from './change-moment.ts';
import { checkSubscriptionSize } from './check-size.ts';
import { effectsBetween } from './effect.ts';
import type { Planned } from './planned.ts';
import { versionOf, type PlanVersions } from './plan-versions.ts';
import type { Subscription, Terms } from './subscription.ts';

/** A subscription to be made, with every default filled in. */
export interface NewSubscription
  extends
    Omit<Subscription, 'terms' | 'startAt'>,
    Pick<Terms, 'plan' | 'version' | 'anchor' | 'quantities' | 'overrides' | 'addOns'> {
  readonly startAt: 'now' | Instant;
}

/**
 * A subscription as it would be, and what happens then; or all that is wrong with it, by pointers into what was asked for. It may begin in the
 * past, as far back as the limits say: what was due since is due with its next invoice.
 */
export function planStart(
  { plan, version, anchor, quantities, overrides, addOns, ...given }: NewSubscription,
  { versions, now }: { readonly versions: PlanVersions; readonly now: Instant },
): Planned {
  const startAt = floorToMinute(given.startAt === 'now' ? now : given.startAt);
  const endAt = given.endAt === null ? null : floorToMinute(given.endAt);
  const choice = { plan, version, anchor, quantities, overrides, addOns };
  const terms: Terms = { from: startAt, phasesFrom: startAt, ...choice, paused: false };
  const subscription: Subscription = { ...given, startAt, endAt, terms: [terms] };
  const faults = [
    ...checkStart(subscription, now),
    ...checkOnOffer(versions, terms),
    ...checkChoice(versionOf(versions, terms), { ...choice, currency: given.currency }),
    ...checkSubscriptionSize(subscription),
  ];
  if (faults.length > 0) return { faults };
  return { subscription, effects: effectsBetween(undefined, subscription, versions) };
}

function checkStart({ startAt, endAt }: Subscription, now: Instant): Violation[] {
  const faults = checkReach('/startAt', startAt, now);
  if (endAt === null) return faults;
  return [
    ...faults,
    ...checkReach('/endAt', endAt, now),
    ...(endAt > startAt ? [] : [violation('/endAt', 'end_before_start', 'must be a minute after the start')]),
  ];
}

function checkOnOffer(versions: PlanVersions, terms: Terms): Violation[] {
  const version = versionOf(versions, terms);
  if (version.state === 'active') return [];
  return version.state === 'draft'
    ? [violation('/version', 'version_not_published', `${named(version)} is a draft: publish it first`)]
    : [violation('/version', 'version_archived', `${named(version)} is archived: choose another`)];
}
