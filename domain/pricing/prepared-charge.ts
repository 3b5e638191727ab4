import { Decimal } from '../money/decimal.ts';
import type { Charge, OnChange, Price } from './charge.ts';
import { checkCharge } from './check-charge.ts';
import type { Model } from './model.ts';
import { preparePrice } from './models.ts';
import { PricingError } from './pricing-error.ts';
import { prepareQuantity, type PreparedQuantity } from './quantity-rule.ts';

const A_HUNDREDTH = new Decimal('0.01');

/** A charge whose numbers are read and checked once, to be rated any number of times. */
export interface PreparedCharge {
  readonly name: string;
  readonly model: Model;
  readonly quantity: PreparedQuantity;
  /** As a part of 1. */
  readonly discountRate: Decimal | undefined;
  readonly discountAmount: Decimal | undefined;
  readonly maximum: Decimal | undefined;
  readonly minimum: Decimal | undefined;
  readonly inAdvance: boolean;
  readonly onChange: OnChange;
  /** Whether a part of a period has a part of fees, free units, fixed discounts, minimum and maximum. */
  readonly prorates: boolean;
  readonly overTotal: boolean;
}

/** Throws `PricingError` (`invalid_charge`) with every fault. `price` stands in for the charge's own, as one by date does. */
export function prepareCharge(charge: Charge, price: Price = charge.price): PreparedCharge {
  const faults = checkCharge({ ...charge, price });
  if (faults.length > 0) throw new PricingError('invalid_charge', faults);
  const { discount, maximum, minimum } = charge;
  return {
    name: charge.name ?? charge.key ?? price.model,
    model: preparePrice(price),
    quantity: prepareQuantity(charge.quantity),
    discountRate: aboveZero(discount?.percent)?.times(A_HUNDREDTH),
    discountAmount: aboveZero(discount?.amount),
    maximum: maximum == null ? undefined : new Decimal(maximum),
    minimum: aboveZero(minimum),
    inAdvance: charge.timing === 'inAdvance',
    onChange: charge.onChange ?? 'continue',
    prorates: charge.proration !== 'none',
    overTotal: charge.tiersOver === 'total',
  };
}

function aboveZero(text: string | null | undefined): Decimal | undefined {
  const value = text == null ? undefined : new Decimal(text);
  return value?.isZero() ? undefined : value;
}
