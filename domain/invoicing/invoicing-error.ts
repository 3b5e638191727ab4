import type { Violation } from '../violation.ts';

/** What cannot be invoiced, with everything that is wrong with it. */
export class InvoicingError extends Error {
  override readonly name = 'InvoicingError';
  readonly code = 'invalid_invoice';
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(violations.map(({ pointer, message }) => `${pointer} ${message}`).join('; '));
    this.violations = violations;
  }
}
