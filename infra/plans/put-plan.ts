import type { Instant } from '#domain/instant.ts';
import { PLAN_NAME_BYTES_MAX } from '#domain/limits.ts';
import { checkKey } from '#domain/plans/check-plan-charge.ts';
import { checkPrintable } from '#domain/violation.ts';
import type { Transaction } from '#infra/database/database.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { PlanError } from './errors.ts';
import { existingPlan, readPlan, type Plan } from './read-plans.ts';
import { plan } from './tables.ts';

export interface PutPlan {
  readonly namespace: string;
  readonly key: string;
  readonly name: string;
  readonly now: Instant;
}

export interface SavedPlan {
  readonly plan: Plan;
  readonly change: 'created' | 'updated' | 'unchanged';
}

/** Saves a plan; an archived one lives again, with its versions as they were. Throws `PlanError` `invalid_plan`. */
export async function putPlan(tx: Transaction, { namespace, key, name, now }: PutPlan): Promise<SavedPlan> {
  const violations = [...checkKey('', key, 'plan'), ...checkPrintable('/name', name, PLAN_NAME_BYTES_MAX)];
  if (violations.length > 0) throw new PlanError('invalid_plan', sentenceOf(violations), violations);
  const before = await readPlan(tx, namespace, key);
  if (before?.name === name && before.archivedAt === null) return { plan: before, change: 'unchanged' };
  const after: Plan = {
    namespace,
    key,
    name,
    newestVersion: before?.newestVersion ?? 0,
    activeVersion: before?.activeVersion ?? null,
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
    archivedAt: null,
  };
  tx.upsert(plan, after);
  return { plan: after, change: before === undefined ? 'created' : 'updated' };
}

/**
 * Takes a plan off the market: nobody can subscribe to it any more, and what is subscribed goes on. Archiving it again changes nothing. Throws
 * `PlanError` `plan_not_found`.
 */
export async function archivePlan(
  tx: Transaction,
  { namespace, key, now }: Omit<PutPlan, 'name'>,
): Promise<Plan> {
  const row = await existingPlan(tx, namespace, key);
  if (row.archivedAt !== null) return row;
  const archived = { ...row, archivedAt: now, updatedAt: now };
  tx.upsert(plan, archived);
  return archived;
}
