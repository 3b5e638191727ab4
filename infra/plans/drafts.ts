import type { Instant } from '#domain/instant.ts';
import { VERSIONS_PER_PLAN_MAX } from '#domain/limits.ts';
import { checkPlanVersion } from '#domain/plans/check-plan-version.ts';
import type { PlanVersionDefinition } from '#domain/plans/plan-version.ts';
import type { Transaction } from '#infra/database/database.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { PlanError } from './errors.ts';
import { existingPlan, existingVersion, type PlanVersionRow, type VersionPlace } from './read-plans.ts';
import { plan as planTable, planVersion } from './tables.ts';

export interface CreateVersion {
  readonly namespace: string;
  readonly plan: string;
  readonly definition: PlanVersionDefinition;
  readonly now: Instant;
}

/**
 * Makes the next version of a plan, a draft. It is whole: what would keep it from being subscribed to keeps it from being saved, but for
 * meters that are not there yet. Throws `PlanError`: `invalid_plan_version` with every fault, `plan_not_found`, `plan_archived`,
 * `too_many_plan_versions`.
 */
export async function createVersion(
  tx: Transaction,
  { namespace, plan, definition, now }: CreateVersion,
): Promise<PlanVersionRow> {
  checkDefinition(definition);
  const row = await existingPlan(tx, namespace, plan);
  if (row.archivedAt !== null)
    throw new PlanError('plan_archived', `the plan ${plan} is archived: save it again to have it back`);
  if (row.newestVersion >= VERSIONS_PER_PLAN_MAX)
    throw new PlanError(
      'too_many_plan_versions',
      `the plan ${plan} has ${VERSIONS_PER_PLAN_MAX} versions already, the most a plan can have`,
    );
  const version = row.newestVersion + 1;
  const draft: PlanVersionRow = {
    namespace,
    plan,
    version,
    state: 'draft',
    definition,
    createdAt: now,
    updatedAt: now,
    publishedAt: null,
    archivedAt: null,
  };
  tx.update(planTable, { namespace, key: plan, newestVersion: version, updatedAt: now });
  tx.insert(planVersion, draft);
  return draft;
}

/**
 * Writes a draft anew. Throws `PlanError`: `invalid_plan_version` with every fault, `plan_not_found`, `plan_version_not_found`, and
 * `plan_version_published` or `plan_version_archived` where the version is no draft any more.
 */
export async function replaceDraft(
  tx: Transaction,
  { namespace, plan, version, definition, now }: CreateVersion & VersionPlace,
): Promise<PlanVersionRow> {
  checkDefinition(definition);
  const row = await existingVersion(tx, namespace, { plan, version });
  if (row.state === 'active')
    throw new PlanError(
      'plan_version_published',
      `version ${version} of ${plan} is published and never changes: make a new version`,
    );
  if (row.state === 'archived')
    throw new PlanError('plan_version_archived', `version ${version} of ${plan} is archived`);
  const written = { ...row, definition, updatedAt: now };
  tx.upsert(planVersion, written);
  return written;
}

function checkDefinition(definition: PlanVersionDefinition): void {
  const violations = checkPlanVersion(definition);
  if (violations.length > 0) throw new PlanError('invalid_plan_version', sentenceOf(violations), violations);
}
