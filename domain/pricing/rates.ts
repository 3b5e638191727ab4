import type { Charge, Price } from './charge.ts';

/** A price and the local dates from which to which it holds, `[from, to)`. */
export interface DatedPrice {
  readonly from: string;
  readonly to: string;
  readonly price: Price;
}

/**
 * The prices of a charge between two local dates (`2026-03-01`), in order and without a gap. Each of its rates holds from its day on; the
 * charge's own price before the first. Worked: a rate from the 10th cuts March into 1-10 and 10-1.
 */
export function pricesBetween(charge: Charge, from: string, to: string): readonly DatedPrice[] {
  const inside = (charge.rates ?? []).filter((rate) => rate.from > from && rate.from < to);
  const starts = [{ from, price: priceOn(charge, from) }, ...inside];
  return starts.map((start, index) => ({ ...start, to: starts[index + 1]?.from ?? to }));
}

/** The price that holds on a local date. */
export const priceOn = ({ price, rates }: Pick<Charge, 'price' | 'rates'>, date: string): Price =>
  (rates ?? []).findLast((rate) => rate.from <= date)?.price ?? price;
