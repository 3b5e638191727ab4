import { RuleError } from '#infra/rule-error.ts';

export type CustomerCode =
  | 'invalid_customer'
  | 'customer_not_found'
  | 'customer_archived'
  | 'customer_has_children'
  | 'customer_has_subscriptions'
  | 'subject_taken'
  | 'too_many_subjects'
  | 'too_many_moves'
  | 'parent_not_found'
  | 'parent_cycle'
  | 'too_many_levels';

/** Why a customer cannot be saved or archived, or a subject moved. */
export class CustomerError extends RuleError<CustomerCode> {
  override readonly name = 'CustomerError';
}
