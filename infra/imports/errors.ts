import { RuleError } from '#infra/rule-error.ts';

export type ImportCode =
  'invalid_import' | 'import_not_found' | 'import_not_possible' | 'import_has_violations';

/** Why an import cannot be made, changed, applied or undone. */
export class ImportError extends RuleError<ImportCode> {
  override readonly name = 'ImportError';
}
