import type { Violation } from '#domain/violation.ts';
import { RuleError, sentenceOf } from '#infra/rule-error.ts';

export type SubscriptionCode =
  'subscription_not_found' | 'invalid_subscription' | 'change_not_possible' | 'too_many_subscriptions';

/** Why a subscription cannot be made or changed. */
export class SubscriptionError extends RuleError<SubscriptionCode> {
  override readonly name = 'SubscriptionError';
}

/** Everything that is wrong with what was asked for, at once. */
export const refusal = (
  code: 'invalid_subscription' | 'change_not_possible',
  violations: readonly Violation[],
): SubscriptionError => new SubscriptionError(code, sentenceOf(violations), violations);
