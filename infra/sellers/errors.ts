import { RuleError } from '#infra/rule-error.ts';

export type SellerCode = 'invalid_seller' | 'seller_not_found' | 'seller_needed' | 'too_many_sellers';

/** Why a seller cannot be saved, or none can be found. */
export class SellerError extends RuleError<SellerCode> {
  override readonly name = 'SellerError';
}
