import type { Violation } from '../violation.ts';

/** `invalid_charge` cannot be saved, `usage_not_ratable` does not fit its charge, `invalid_query` is a calculator's question with any fault. */
export type PricingFault = 'invalid_charge' | 'usage_not_ratable' | 'invalid_query';

/** What cannot be rated; `violations` names every fault at once. */
export class PricingError extends Error {
  override readonly name = 'PricingError';
  readonly code: PricingFault;
  readonly violations: readonly Violation[];

  constructor(code: PricingFault, violations: readonly Violation[]) {
    super(violations.map(({ pointer, message }) => `${pointer} ${message}`.trim()).join('; '));
    this.code = code;
    this.violations = violations;
  }
}
