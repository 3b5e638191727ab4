import type { Instant } from '#domain/instant.ts';
import { MIGRATED_PER_CALL_MAX } from '#domain/limits.ts';
import { toDecimalText, ZERO, type Decimal } from '#domain/money/decimal.ts';
import { minuteOf } from '#domain/subscriptions/change-moment.ts';
import type { ChangeMoment } from '#domain/subscriptions/change.ts';
import { monthlyFees } from '#domain/subscriptions/monthly-fees.ts';
import { planVersionName, type PlanVersions } from '#domain/subscriptions/plan-versions.ts';
import { termsAt } from '#domain/subscriptions/timeline.ts';
import type { Violation } from '#domain/violation.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { existingVersion, offeredVersion } from '#infra/plans/read-plans.ts';
import { applyChange } from './change-subscription.ts';
import type { ChangedSubscription } from './create-subscription.ts';
import { SubscriptionError } from './errors.ts';
import { readSubscriptions, readVersionsNamed, type StoredSubscription } from './read-subscriptions.ts';
import { versionSubscription } from './tables.ts';

export interface Migration {
  readonly namespace: string;
  readonly plan: string;
  /** Where to. */
  readonly version: number;
  /** Where from. */
  readonly from: number;
  readonly at: ChangeMoment;
  /** Only theirs; everybody's where nothing is said. */
  readonly customers?: readonly string[] | undefined;
  /** The last subscription that the call before looked at. */
  readonly after?: string | undefined;
  readonly now: Instant;
}

/** A subscription that cannot be moved, and why; it stays as it is. */
export interface Unmovable {
  readonly subscription: string;
  readonly customer: string;
  readonly violations: readonly Violation[];
}

/** What the fees of the moved subscriptions come to in a month, without usage. */
export interface RecurringRevenue {
  readonly currency: string;
  readonly before: string;
  readonly after: string;
  readonly change: string;
}

export interface Migrated {
  readonly moved: number;
  /** Those that are not on the version at that time: they have ended, or go elsewhere, or are moved already. */
  readonly passedOver: number;
  readonly faults: readonly Unmovable[];
  readonly revenue: readonly RecurringRevenue[];
  /** Where the next call goes on; null when all have been looked at. */
  readonly next: string | null;
}

/**
 * Moves the subscriptions of one version of a plan to another, a bounded number of them in one transaction. Who is moved is on the version no
 * more, so beginning again from the start moves nobody twice. Throws `PlanError`: `plan_not_found`, `plan_archived`,
 * `plan_version_not_found`, `plan_version_not_active`.
 */
export async function migrateSubscriptions(tx: Transaction, migration: Migration): Promise<Migrated> {
  const { namespace, plan, from, version, customers } = migration;
  const [target] = await Promise.all([
    offeredVersion(tx, namespace, { plan, version }),
    existingVersion(tx, namespace, { plan, version: from }),
  ]);
  const { ids, next } = await readBatch(tx, migration);
  const stored = await readSubscriptions(tx, namespace, ids);
  const asked = stored
    .filter((each) => each !== undefined)
    .filter(({ customer }) => customers === undefined || customers.includes(customer));
  const versions = new Map([
    ...(await readVersionsNamed(tx, namespace, asked)),
    [planVersionName(target), target] as const,
  ]);
  const outcomes = asked.map((before) => moveOne(tx, before, migration, versions));
  return { ...summaryOf(outcomes), next };
}

async function readBatch(
  from: Reads,
  { namespace, plan, from: version, after }: Migration,
): Promise<{ readonly ids: readonly string[]; readonly next: string | null }> {
  const range = { prefix: [namespace, plan, version], ...(after === undefined ? {} : { from: after }) };
  // The range is closed below, and one more tells whether there are more.
  const limit = MIGRATED_PER_CALL_MAX + 2;
  const rows = await Array.fromAsync(from.scan(versionSubscription, range, { limit }));
  const found = rows.map(({ subscription }) => subscription).filter((id) => id !== after);
  const ids = found.slice(0, MIGRATED_PER_CALL_MAX);
  return { ids, next: found.length > ids.length ? (ids.at(-1) ?? null) : null };
}

type Outcome =
  | { readonly kind: 'passedOver' }
  | { readonly kind: 'fault'; readonly fault: Unmovable }
  | { readonly kind: 'moved'; readonly currency: string; readonly before: Decimal; readonly after: Decimal };

function moveOne(
  tx: Transaction,
  before: StoredSubscription,
  migration: Migration,
  versions: PlanVersions,
): Outcome {
  const { namespace, plan, from, version, now } = migration;
  const at = minuteOf(migration.at, before, { versions, now });
  if (at === undefined || !isOn(before, at, { plan, version: from })) return { kind: 'passedOver' };
  const change = { kind: 'change' as const, at, to: { plan, version } };
  const changed = unlessRefused(() => applyChange(tx, { namespace, before, change, versions, now }));
  if ('violations' in changed) {
    const { violations } = changed;
    return { kind: 'fault', fault: { subscription: before.id, customer: before.customer, violations } };
  }
  return {
    kind: 'moved',
    currency: before.currency,
    before: monthlyFees(before, versions, at),
    after: monthlyFees(changed.subscription, versions, at),
  };
}

function isOn(
  { terms, endAt }: StoredSubscription,
  at: Instant,
  { plan, version }: { readonly plan: string; readonly version: number },
): boolean {
  const current = termsAt(terms, at);
  return current.plan === plan && current.version === version && (endAt === null || at < endAt);
}

/** One subscription that cannot be moved keeps none of the others. */
function unlessRefused(
  change: () => ChangedSubscription,
): ChangedSubscription | { readonly violations: readonly Violation[] } {
  try {
    return change();
  } catch (error) {
    if (error instanceof SubscriptionError && error.code === 'change_not_possible') return error;
    throw error;
  }
}

function summaryOf(outcomes: readonly Outcome[]): Omit<Migrated, 'next'> {
  const moved = outcomes.filter((outcome) => outcome.kind === 'moved');
  return {
    moved: moved.length,
    passedOver: outcomes.filter(({ kind }) => kind === 'passedOver').length,
    faults: outcomes.flatMap((outcome) => (outcome.kind === 'fault' ? [outcome.fault] : [])),
    revenue: [...Map.groupBy(moved, ({ currency }) => currency)].map(([currency, all]) => {
      const before = all.reduce((sum, each) => sum.plus(each.before), ZERO);
      const after = all.reduce((sum, each) => sum.plus(each.after), ZERO);
      const change = toDecimalText(after.minus(before));
      return { currency, before: toDecimalText(before), after: toDecimalText(after), change };
    }),
  };
}
