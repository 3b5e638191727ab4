import type { AnchorChoice } from '#domain/calendar/anchor.ts';
import type { Instant } from '#domain/instant.ts';
import type { ChangeMoment, SubscriptionChange, TermsChange } from '#domain/subscriptions/change.ts';
import { minuteOf } from '#domain/subscriptions/change-moment.ts';
import { planChange } from '#domain/subscriptions/plan-change.ts';
import {
  planVersionName,
  versionOf,
  type PlanVersionRef,
  type PlanVersions,
} from '#domain/subscriptions/plan-versions.ts';
import type { Subscription } from '#domain/subscriptions/subscription.ts';
import { termsAt } from '#domain/subscriptions/timeline.ts';
import { customer as customerTable } from '#infra/customers/tables.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { existingVersion, offeredVersion } from '#infra/plans/read-plans.ts';
import { checkOverriddenPrices } from './check-overrides.ts';
import { alignedAnchor, type ChangedSubscription } from './create-subscription.ts';
import { refusal } from './errors.ts';
import {
  existingSubscription,
  readVersionsNamed,
  type StoredSubscription,
  type SubscriptionPlace,
} from './read-subscriptions.ts';
import { writeSubscription } from './write-subscription.ts';

/** A change as it is asked for: of the plan or version that is not named, the one in force, or the newest active one of another plan. */
export type ChangeRequest =
  | (Omit<TermsChange, 'to'> & { readonly plan?: string | undefined; readonly version?: number | undefined })
  | Exclude<SubscriptionChange, TermsChange>;

export interface ChangeSubscription extends SubscriptionPlace {
  readonly change: ChangeRequest;
  readonly now: Instant;
}

/**
 * Changes a subscription's timeline, or undoes a change of it. Throws `SubscriptionError`: `subscription_not_found`, `change_not_possible` with
 * every violation; `PlanError`: `plan_not_found`, `plan_archived`, `plan_version_not_found`, `plan_version_not_active`.
 */
export async function changeSubscription(
  tx: Transaction,
  { namespace, id, change, now }: ChangeSubscription,
): Promise<ChangedSubscription> {
  const before = await existingSubscription(tx, { namespace, id });
  const named = await readVersionsNamed(tx, namespace, [before]);
  const standing = { namespace, before, named, now };
  const resolved = await resolve(tx, standing, change);
  const customerAnchor = await customerAnchorFor(tx, standing, change);
  const changed = applyChange(tx, { namespace, before, ...resolved, customerAnchor, now });
  await checkOverrides(tx, standing, resolved);
  return changed;
}

interface ResolvedChange {
  readonly change: SubscriptionChange;
  readonly versions: PlanVersions;
}

/** Plans a change of a subscription as it was read in this transaction, and stores it. Throws as `changeSubscription` does. */
export function applyChange(
  tx: Transaction,
  request: ResolvedChange & {
    readonly namespace: string;
    readonly before: StoredSubscription;
    readonly customerAnchor?: AnchorChoice | undefined;
    readonly now: Instant;
  },
): ChangedSubscription {
  const { namespace, before, change, versions, customerAnchor, now } = request;
  const planned = planChange(before, change, { versions, customerAnchor, now });
  if ('faults' in planned) throw refusal('change_not_possible', planned.faults);
  const isTheSame = JSON.stringify(timelineOf(planned.subscription)) === JSON.stringify(timelineOf(before));
  if (isTheSame) return { subscription: before, effects: planned.effects };
  const after = { ...before, ...timelineOf(planned.subscription), updatedAt: now };
  writeSubscription(tx, namespace, before, after);
  return { subscription: after, effects: planned.effects };
}

const timelineOf = ({ terms, endAt }: Subscription): Pick<Subscription, 'terms' | 'endAt'> => ({
  terms,
  endAt,
});

interface Standing {
  readonly namespace: string;
  readonly before: Subscription;
  readonly named: PlanVersions;
  readonly now: Instant;
}

/** What an aligned subscription may take over. */
async function customerAnchorFor(
  from: Reads,
  { namespace, before: { customer, alignment } }: Standing,
  change: ChangeRequest,
): Promise<AnchorChoice | undefined> {
  if (alignment !== 'customer' || change.kind !== 'change' || change.anchor === undefined) return undefined;
  const [owner] = await from.read(customerTable, [[namespace, customer]]);
  return owner && alignedAnchor(owner);
}

/** After the timeline's own rules, which say whether they are prices at all; what was buffered is not committed when this throws. */
async function checkOverrides(
  from: Reads,
  standing: Standing,
  { change, versions }: ResolvedChange,
): Promise<void> {
  if (change.kind !== 'change' || change.overrides === undefined) return;
  const { namespace, before } = standing;
  const ref = change.to ?? currentVersion(standing, change.at);
  const faults = await checkOverriddenPrices(from, namespace, {
    version: versionOf(versions, ref),
    currency: before.currency,
    overrides: change.overrides,
  });
  if (faults.length > 0) throw refusal('change_not_possible', faults);
}

async function resolve(from: Reads, standing: Standing, change: ChangeRequest): Promise<ResolvedChange> {
  if (change.kind !== 'change') return { change, versions: standing.named };
  const { plan, version, ...asked } = change;
  if (plan === undefined && version === undefined) return { change: asked, versions: standing.named };
  const current = currentVersion(standing, change.at);
  const target = await readTarget(from, standing.namespace, { current, plan, version });
  const versions = new Map([...standing.named, [planVersionName(target), target]]);
  return { change: { ...asked, to: { plan: target.plan, version: target.version } }, versions };
}

/** On which version the subscription is when the change comes. */
function currentVersion({ before, named, now }: Standing, moment: ChangeMoment): PlanVersionRef {
  const at = minuteOf(moment, before, { versions: named, now });
  const { plan, version } = termsAt(before.terms, at ?? now);
  return { plan, version };
}

interface Target {
  readonly current: PlanVersionRef;
  readonly plan: string | undefined;
  readonly version: number | undefined;
}

/** Where nothing is to change, the version need not be on offer any more. */
async function readTarget(from: Reads, namespace: string, { current, plan, version }: Target) {
  const isCurrent = (plan ?? current.plan) === current.plan && version === current.version;
  if (!isCurrent) return offeredVersion(from, namespace, { plan: plan ?? current.plan, version });
  const { definition, state } = await existingVersion(from, namespace, current);
  return { ...definition, ...current, state };
}
