import { RuleError } from '#infra/rule-error.ts';

export type BackfillCode = 'invalid_backfill' | 'backfill_exists' | 'backfill_not_found';

/** Why a backfill cannot be asked for. */
export class BackfillError extends RuleError<BackfillCode> {
  override readonly name = 'BackfillError';
}
