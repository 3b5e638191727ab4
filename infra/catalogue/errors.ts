import { RuleError } from '#infra/rule-error.ts';

export type CatalogueCode =
  | 'meter_not_found'
  | 'meter_version_not_found'
  | 'meter_version_ended'
  | 'no_earlier_version'
  | 'meter_in_use'
  | 'prices_not_served'
  | 'invalid_feature'
  | 'feature_not_found'
  | 'feature_meter_fixed'
  | 'invalid_event_type'
  | 'too_many_event_types';

/** Why something in the catalogue cannot be saved or changed. Meters that are wrong in themselves are `InvalidMeter`. */
export class CatalogueError extends RuleError<CatalogueCode> {
  override readonly name = 'CatalogueError';
}
