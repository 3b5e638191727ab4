import type { Violation } from '#domain/violation.ts';

/**
 * What our own rules refuse: nothing was changed, and trying again is in vain until the request or what it is about changes. `code` is
 * stable, callers decide by it; `violations` say where the request is at fault, if it is.
 */
export class RuleError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly violations: readonly Violation[];

  constructor(code: Code, message: string, violations: readonly Violation[] = []) {
    super(message);
    this.name = 'RuleError';
    this.code = code;
    this.violations = violations;
  }
}

/** One sentence of all violations, for logs and for those who read nothing else. */
export const sentenceOf = (violations: readonly Violation[]): string =>
  violations.map(({ pointer, message }) => (pointer === '' ? message : `${pointer} ${message}`)).join('; ');
