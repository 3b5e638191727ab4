import { anchorOf } from '../calendar/anchor.ts';
import { parseDuration } from '../calendar/duration.ts';
import { periodAt } from '../calendar/period.ts';
import { timeZone } from '../calendar/time-zone.ts';
import type { Instant } from '../instant.ts';
import { phaseAt, phaseSpans } from '../plans/phase-spans.ts';
import { boundsIn, cadenceOf, DEFAULT_CADENCE } from '../plans/plan-parts.ts';
import { chargesIn } from './charges-in-force.ts';
import type { PlanVersions } from './plan-versions.ts';
import { stretchAt, stretchesOf, type Stretch } from './stretch.ts';
import type { Subscription } from './subscription.ts';
import { subscriptionState } from './subscription-state.ts';

/**
 * When the billing period that a moment lies in is over: the longest of those of all charges and bounds, so that nothing that was paid or promised
 * for a whole period is cut. A trial ends with its phase. Undefined before the start and after the end.
 */
export function periodEndAt(
  subscription: Subscription,
  versions: PlanVersions,
  at: Instant,
): Instant | undefined {
  const stretch = stretchAt(stretchesOf(subscription, versions), at);
  if (stretch === undefined) return undefined;
  const zone = timeZone(subscription.timezone);
  if (subscriptionState(subscription, versions, at).state === 'trialing')
    return phaseAt(phaseSpans(stretch.version, stretch.terms.phasesFrom, zone), at)?.to;
  const anchor = anchorOf(stretch.terms.anchor, zone, subscription.startAt);
  const ends = cadencesIn(stretch, subscription.currency).flatMap((cadence) => {
    const every = parseDuration(cadence);
    return every === undefined ? [] : [periodAt({ every, anchor, zone }, at).to];
  });
  return Math.max(...ends);
}

/** Those of what is due over and over; where nothing is, the one of charges that say none. */
function cadencesIn(stretch: Stretch, currency: string): string[] {
  const { minimum, maximum } = boundsIn(stretch.version, stretch.phase);
  const due = [
    ...chargesIn(stretch, currency)
      .filter(({ kind }) => kind !== 'once')
      .map(({ charge }) => charge),
    ...[minimum, maximum].filter((bound) => bound !== null),
  ];
  return due.length === 0 ? [DEFAULT_CADENCE] : due.map(cadenceOf);
}
