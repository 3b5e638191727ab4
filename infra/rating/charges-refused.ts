import type { Violation } from '#domain/violation.ts';
import { RuleError, sentenceOf } from '#infra/rule-error.ts';

/** What of a customer's charges cannot be rated; `violations` names every fault by its place in the request. */
export class ChargesRefused extends RuleError<'invalid_query'> {
  constructor(violations: readonly Violation[]) {
    super('invalid_query', sentenceOf(violations), violations);
    this.name = 'ChargesRefused';
  }
}
