import { RuleError } from '#infra/rule-error.ts';

export type InvoicingCode =
  | 'invoice_not_found'
  | 'invoice_line_not_found'
  | 'invoice_state'
  | 'invoice_parked'
  | 'invoice_not_parked'
  | 'invoice_not_proved'
  | 'invalid_invoice'
  | 'invoice_run_not_found'
  | 'invalid_invoice_run';

/** Why an invoice cannot be made or changed, or a run not be started. Nothing was changed. */
export class InvoicingRuleError extends RuleError<InvoicingCode> {
  override readonly name = 'InvoicingRuleError';
}
