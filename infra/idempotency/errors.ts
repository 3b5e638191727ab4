import { RuleError } from '#infra/rule-error.ts';

export type IdempotencyCode =
  'invalid_idempotency_key' | 'idempotency_key_reused' | 'idempotency_key_in_flight';

/** Why a request under an idempotency key is not served. Nothing was changed. */
export class IdempotencyError extends RuleError<IdempotencyCode> {
  override readonly name = 'IdempotencyError';
}
