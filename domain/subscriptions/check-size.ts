import { SUBSCRIPTION_BYTES_MAX, TERMS_PER_SUBSCRIPTION_MAX } from '../limits.ts';
import { violation } from '../pricing/check-number.ts';
import type { Violation } from '../violation.ts';
import type { Subscription } from './subscription.ts';

/** A timeline is kept in one row, and read whole. */
export function checkSubscriptionSize({ terms }: Subscription): Violation[] {
  if (terms.length > TERMS_PER_SUBSCRIPTION_MAX)
    return [
      violation(
        '',
        'too_many_changes',
        `a subscription changes at most ${TERMS_PER_SUBSCRIPTION_MAX} times: end it and begin another`,
      ),
    ];
  return Buffer.byteLength(JSON.stringify(terms)) > SUBSCRIPTION_BYTES_MAX
    ? [violation('', 'too_large', `has more than ${SUBSCRIPTION_BYTES_MAX} bytes of terms as JSON`)]
    : [];
}
