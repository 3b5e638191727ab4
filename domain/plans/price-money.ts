import type { Discount, PercentTier, Price, Rate, Tier } from '../pricing/charge.ts';
import { numberOf } from '../pricing/check-number.ts';

type Text = string | null | undefined;

/** What a charge says in one currency. */
interface ChargeMoney {
  readonly price: Price;
  readonly rates?: readonly Rate[] | null;
  readonly discount?: Discount | null;
  readonly maximum?: string | null;
  readonly minimum?: string | null;
}

/**
 * Whether any amount of money stands in a charge, so that it has to be said in each currency. Nothing is the same in all of them, and so
 * is a percentage.
 */
export const holdsMoney = ({ price, rates, discount, maximum, minimum }: ChargeMoney): boolean =>
  [price, ...(rates ?? []).map((rate) => rate.price)].some((each) => amountsOf(each).some(isSome)) ||
  [maximum, minimum, discount?.amount].some(isSome);

/** A text that is no number is for the rules of prices to judge, and no reason to ask for it in other currencies. */
const isSome = (text: Text): boolean => numberOf(text)?.isZero() === false;

/** The amounts of money in a price: what is paid, and what else is measured in money. */
function amountsOf(price: Price): readonly Text[] {
  switch (price.model) {
    case 'flat':
      return [price.amount];
    case 'perUnit':
      return [price.unitPrice];
    case 'package':
      return [price.price];
    case 'graduated':
    case 'volume':
      return price.tiers.flatMap(({ unitPrice, flatFee }: Tier) => [unitPrice, flatFee]);
    case 'matrix':
      return [price.defaultUnitPrice, ...price.cells.map(({ unitPrice }) => unitPrice)];
    case 'percentage':
      return [price.feePerEvent, price.freeAmount, price.minimumPerEvent, price.maximumPerEvent];
    case 'graduatedPercentage':
      // The bounds of the tiers are amounts of money too.
      return price.tiers.flatMap(({ upTo, flatFee }: PercentTier) => [upTo, flatFee]);
    case 'dynamic':
      // The events bring the price.
      return [];
    default:
      // A model that is none is for the rules of prices to name, too.
      price satisfies never;
      return [];
  }
}
