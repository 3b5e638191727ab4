import { RuleError } from '#infra/rule-error.ts';

export type EntitlementCode =
  | 'invalid_limits'
  | 'aggregation_not_limitable'
  | 'feature_not_found'
  | 'feature_archived'
  | 'feature_without_meter'
  | 'too_many_limited_features'
  | 'feature_has_limits'
  | 'invalid_check'
  | 'invalid_reservation'
  | 'reservation_not_found'
  | 'reservation_closed'
  | 'too_many_waiting';

/** Why limits cannot be set, or a reservation not be made or changed. A refusal for want of quota is an answer and no error. */
export class EntitlementError extends RuleError<EntitlementCode> {
  override readonly name = 'EntitlementError';
}
