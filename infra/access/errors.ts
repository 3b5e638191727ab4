import { RuleError } from '#infra/rule-error.ts';

export type AccessCode =
  'invalid_api_key' | 'api_key_not_found' | 'too_many_api_keys' | 'api_key_ended' | 'api_key_replaced';

/** Why a key cannot be made, rotated or revoked. */
export class AccessError extends RuleError<AccessCode> {
  override readonly name = 'AccessError';
}
