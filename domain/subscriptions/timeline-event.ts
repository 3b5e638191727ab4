import type { AnchorChoice } from '../calendar/anchor.ts';
import type { Instant } from '../instant.ts';
import type { PlanVersionRef, PlanVersions } from './plan-versions.ts';
import { stretchesOf, type Stretch } from './stretch.ts';
import type { ChargeOverride, Subscription } from './subscription.ts';
import { changedEntries } from './terms-delta.ts';

/** What happens to a subscription at a moment. */
export type TimelineEvent = { readonly at: Instant } & (
  | ({ readonly kind: 'starts' } & PlanVersionRef)
  | { readonly kind: 'ends' | 'pauses' | 'resumes' }
  | { readonly kind: 'planChanges'; readonly from: PlanVersionRef; readonly to: PlanVersionRef }
  | { readonly kind: 'phaseBegins'; readonly phase: string }
  | { readonly kind: 'anchorChanges'; readonly anchor: AnchorChoice }
  /** Null: as many as the plan says. */
  | {
      readonly kind: 'seatsChange';
      readonly charge: string;
      readonly before: string | null;
      readonly after: string | null;
    }
  | {
      readonly kind: 'addOnChanges';
      readonly addOn: string;
      readonly before: string;
      readonly after: string;
    }
  /** Null: what the plan says. */
  | {
      readonly kind: 'overrideChanges';
      readonly charge: string;
      readonly override: ChargeOverride | null;
    }
);

/** All that ever happens to a subscription, in order, as far as times can be told: phases may be very long. */
export function timelineEvents(subscription: Subscription, versions: PlanVersions): TimelineEvent[] {
  const stretches = stretchesOf(subscription, versions);
  const [first] = stretches;
  const { endAt } = subscription;
  const events: TimelineEvent[] = [
    ...(first ? [{ at: first.from, kind: 'starts' as const, ...refOf(first) }] : []),
    ...(first?.terms.paused ? [{ at: first.from, kind: 'pauses' as const }] : []),
    ...stretches.flatMap((stretch, index) => eventsBetween(stretches[index - 1], stretch)),
    ...(endAt === null ? [] : [{ at: endAt, kind: 'ends' as const }]),
  ];
  return events.filter(({ at }) => Number.isSafeInteger(at));
}

const refOf = ({ version: { plan, version } }: Stretch): PlanVersionRef => ({ plan, version });

function eventsBetween(before: Stretch | undefined, after: Stretch): TimelineEvent[] {
  if (before === undefined) return [];
  const at = after.from;
  const [from, to] = [refOf(before), refOf(after)];
  const { terms } = after;
  const isSamePlan = from.plan === to.plan && from.version === to.version;
  return [
    ...(isSamePlan ? [] : [{ at, kind: 'planChanges' as const, from, to }]),
    ...(before.phase.key === after.phase.key
      ? []
      : [{ at, kind: 'phaseBegins' as const, phase: after.phase.key }]),
    ...(JSON.stringify(before.terms.anchor) === JSON.stringify(terms.anchor)
      ? []
      : [{ at, kind: 'anchorChanges' as const, anchor: terms.anchor }]),
    ...choiceEvents(before, after),
    ...(before.terms.paused === terms.paused
      ? []
      : [{ at, kind: terms.paused ? ('pauses' as const) : ('resumes' as const) }]),
  ];
}

function choiceEvents(before: Stretch, { from: at, terms }: Stretch): TimelineEvent[] {
  const { quantities, addOns, overrides } = before.terms;
  return [
    ...Object.entries(changedEntries(quantities, terms.quantities)).map(([charge, after]) => ({
      at,
      kind: 'seatsChange' as const,
      charge,
      before: quantities[charge] ?? null,
      after,
    })),
    ...Object.entries(changedEntries(addOns, terms.addOns)).map(([addOn, after]) => ({
      at,
      kind: 'addOnChanges' as const,
      addOn,
      before: addOns[addOn] ?? '0',
      after: after ?? '0',
    })),
    ...Object.entries(changedEntries(overrides, terms.overrides)).map(([charge, override]) => ({
      at,
      kind: 'overrideChanges' as const,
      charge,
      override,
    })),
  ];
}
