import { numberOf } from '../pricing/check-number.ts';
import type { Price } from '../pricing/charge.ts';
import type { PlanCharge } from '../plans/plan-version.ts';

type Text = string | null | undefined;

const FULL_PERCENT = 100;

/** Whether a charge can ever come to anything. One of a free trial cannot: its prices are 0, all is discounted, or its maximum is 0. */
export function canBeDue({ price, rates, discount, minimum, maximum }: PlanCharge): boolean {
  if (isSome(minimum)) return true;
  if (maximum != null && !isSome(maximum)) return false;
  if (numberOf(discount?.percent)?.eq(FULL_PERCENT)) return false;
  return [price, ...(rates ?? []).map((rate) => rate.price)].some((each) => factorsOf(each).some(isSome));
}

const isSome = (text: Text): boolean => numberOf(text)?.isZero() === false;

/** Without any of these a price comes to nothing. */
function factorsOf(price: Price): readonly Text[] {
  switch (price.model) {
    case 'flat':
      return [price.amount];
    case 'perUnit':
      return [price.unitPrice];
    case 'package':
      return [price.price];
    case 'graduated':
    case 'volume':
      return price.tiers.flatMap(({ unitPrice, flatFee }) => [unitPrice, flatFee]);
    case 'matrix':
      return [price.defaultUnitPrice, ...price.cells.map(({ unitPrice }) => unitPrice)];
    case 'percentage':
      return [price.percent, price.feePerEvent, price.minimumPerEvent];
    case 'graduatedPercentage':
      return price.tiers.flatMap(({ percent, flatFee }) => [percent, flatFee]);
    case 'dynamic':
      return [price.multiplier ?? '1'];
  }
}
