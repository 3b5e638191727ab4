import { RuleError } from '#infra/rule-error.ts';

export type CorrectionCode =
  'invalid_correction' | 'correction_not_found' | 'correction_not_possible' | 'too_many_events';

/** Why a correction cannot be made, foreseen or changed. */
export class CorrectionError extends RuleError<CorrectionCode> {
  override readonly name = 'CorrectionError';
}
