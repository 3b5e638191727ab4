import { RuleError } from '#infra/rule-error.ts';

export type PlanCode =
  | 'invalid_plan'
  | 'invalid_plan_version'
  | 'plan_not_found'
  | 'plan_version_not_found'
  | 'plan_archived'
  | 'plan_version_not_active'
  | 'plan_version_published'
  | 'plan_version_archived'
  | 'too_many_plan_versions';

/** Why a plan or a version of one cannot be saved, changed or taken. */
export class PlanError extends RuleError<PlanCode> {
  override readonly name = 'PlanError';
}
