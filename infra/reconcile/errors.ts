import { RuleError } from '#infra/rule-error.ts';

export type ReconcileCode = 'invalid_reconciliation' | 'reconciliation_not_found';

/** Why a reconciliation cannot be asked for or shown. */
export class ReconcileError extends RuleError<ReconcileCode> {
  override readonly name = 'ReconcileError';
}
