import type { Violation } from '../violation.ts';

export type MoneyFault =
  | 'not_a_decimal'
  | 'decimal_out_of_range'
  | 'division_by_zero'
  | 'unknown_currency'
  | 'currency_mismatch'
  | 'not_in_minor_units'
  | 'nothing_to_allocate_to'
  | 'weight_not_positive'
  | 'invalid_unit';

/** What arithmetic cannot do, or what is no money at all; `violations` names every fault where an input has many. */
export class MoneyError extends Error {
  override readonly name = 'MoneyError';
  readonly code: MoneyFault;
  readonly violations: readonly Violation[];

  constructor(code: MoneyFault, message: string, violations: readonly Violation[] = []) {
    super(message);
    this.code = code;
    this.violations = violations;
  }
}
