import { phaseSpans } from '../plans/phase-spans.ts';
import type { Phase, PlanVersion } from '../plans/plan-version.ts';
import { timeZone } from '../calendar/time-zone.ts';
import type { TimeWindow } from '../calendar/window.ts';
import type { Instant } from '../instant.ts';
import { versionOf, type PlanVersions } from './plan-versions.ts';
import type { Subscription, Terms } from './subscription.ts';

/** A time in which a subscription has the same terms and its plan version the same phase. Of the last one `to` may be Infinity. */
export interface Stretch extends TimeWindow {
  readonly terms: Terms;
  readonly version: PlanVersion;
  readonly phase: Phase;
}

/** A subscription from its start to its end, cut where terms or phases change: contiguous, in order, paused time included. */
export function stretchesOf(subscription: Subscription, versions: PlanVersions): Stretch[] {
  const { terms, endAt, timezone } = subscription;
  const zone = timeZone(timezone);
  return terms.flatMap((each, index) => {
    const version = versionOf(versions, each);
    const to = Math.min(terms[index + 1]?.from ?? Infinity, endAt ?? Infinity);
    return phaseSpans(version, each.phasesFrom, zone)
      .map((span, place) => ({
        // Terms may begin before their phases do: the first phase holds until then.
        from: place === 0 ? each.from : Math.max(span.from, each.from),
        to: Math.min(span.to, to),
        terms: each,
        version,
        phase: span.phase,
      }))
      .filter((stretch) => stretch.from < stretch.to);
  });
}

/** The stretch that a moment lies in; undefined before the start and after the end. */
export const stretchAt = (stretches: readonly Stretch[], at: Instant): Stretch | undefined =>
  stretches.find(({ from, to }) => from <= at && at < to);
