/** Why a message is refused for good: a closed list, extended deliberately and only here. */
export const DEAD_LETTER_REASONS = [
  'malformed_json',
  'not_an_event',
  'attribute_missing',
  'attribute_invalid',
  'too_large',
  'too_deep',
  'value_missing',
  'value_not_a_number',
  'value_out_of_range',
  'too_old',
  'in_the_future',
  'schema_violation',
  'source_not_allowed',
  'rejected_by_store',
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

/** A refusal with the one sentence that tells the producer how to mend it. */
export interface Refusal {
  readonly reason: DeadLetterReason;
  readonly detail: string;
}
