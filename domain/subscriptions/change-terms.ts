import type { AnchorChoice } from '../calendar/anchor.ts';
import { formatInstant } from '../calendar/rfc3339.ts';
import type { Instant } from '../instant.ts';
import { checkChoice } from '../plans/check-choice.ts';
import { compatibility } from '../plans/compatibility.ts';
import { familyOf } from '../plans/plan-parts.ts';
import { violation } from '../pricing/check-number.ts';
import type { Violation } from '../violation.ts';
import type { TermsChange } from './change.ts';
import type { Effect } from './effect.ts';
import { versionOf, type PlanVersions } from './plan-versions.ts';
import type { Planned } from './planned.ts';
import type { Subscription, Terms } from './subscription.ts';
import { sayTheSame, type TermsDelta } from './terms-delta.ts';
import { changeFrom, termsAt } from './timeline.ts';

/** Other terms from a minute on, if they and those that follow them are possible. */
export function changeTerms(
  subscription: Subscription,
  at: Instant,
  change: TermsChange,
  {
    versions,
    customerAnchor,
  }: { readonly versions: PlanVersions; readonly customerAnchor?: AnchorChoice | undefined },
): Planned {
  const before = termsAt(subscription.terms, at);
  const delta = deltaOf(before, at, change, versions);
  const changed = { ...subscription, terms: changeFrom(subscription.terms, at, delta) };
  const { faults, effects } = judge(subscription, changed, { at, before, versions });
  const faultsOfAll = [...checkAnchorIsOwn(subscription, change, customerAnchor), ...faults];
  return faultsOfAll.length > 0 ? { faults: faultsOfAll } : { subscription: changed, effects };
}

function deltaOf(before: Terms, at: Instant, change: TermsChange, versions: PlanVersions): TermsDelta {
  const { to, anchor, quantities = {}, overrides = {}, addOns = {} } = change;
  const entries = { ...(anchor === undefined ? {} : { anchor }), quantities, overrides, addOns };
  if (to === undefined && change.phases !== 'restart') return entries;
  const { plan, version } = to ?? before;
  const [old, young] = [versionOf(versions, before), versionOf(versions, { plan, version })];
  const phases = change.phases ?? (familyOf(old) === familyOf(young) ? 'continue' : 'restart');
  const phasesFrom = phases === 'continue' ? before.phasesFrom : at;
  return { ...entries, plan: { plan, version, phasesFrom } };
}

/** With the customer's alignment all its subscriptions have one anchor: it is changed there, and taken over by each when it is to be. */
function checkAnchorIsOwn(
  { alignment }: Subscription,
  { anchor }: TermsChange,
  customerAnchor: AnchorChoice | undefined,
): Violation[] {
  if (alignment !== 'customer' || anchor === undefined) return [];
  if (JSON.stringify(anchor) === JSON.stringify(customerAnchor)) return [];
  const message = 'is the customer’s: change it there first, and give the same here, or leave it out';
  return [violation('/anchor', 'anchor_of_customer', message)];
}

interface Judged {
  readonly faults: readonly Violation[];
  readonly effects: readonly Effect[];
}

/** Whether the terms from the change on are possible, those that were planned for later among them. */
function judge(
  was: Subscription,
  { terms, currency }: Subscription,
  { at, before, versions }: { readonly at: Instant; readonly before: Terms; readonly versions: PlanVersions },
): Judged {
  const after = termsAt(terms, at);
  const { faults, notices } = goingTo(before, after, currency, versions);
  const later = terms.filter(
    (each) => each.from > at && !was.terms.some((old) => old.from === each.from && sayTheSame(old, each)),
  );
  return {
    faults: [...faults, ...later.flatMap((each) => checkPlanned(each, currency, versions))],
    effects: notices.map((notice) => ({ at, kind: 'notice' as const, ...notice })),
  };
}

function goingTo(
  before: Terms,
  after: Terms,
  currency: string,
  versions: PlanVersions,
): ReturnType<typeof compatibility> {
  const [from, to] = [versionOf(versions, before), versionOf(versions, after)];
  const choice = { ...after, currency };
  return from === to ? { faults: checkChoice(to, choice), notices: [] } : compatibility(from, to, choice);
}

/** What was planned for later is done to other terms now, and may be impossible there: then it is to be undone first. */
const checkPlanned = (planned: Terms, currency: string, versions: PlanVersions): Violation[] =>
  checkChoice(versionOf(versions, planned), { ...planned, currency }).map(({ code, message }) =>
    violation('', code, `what is planned for ${formatInstant(planned.from)} becomes impossible: ${message}`),
  );
