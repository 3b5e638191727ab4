import { ONE, type Decimal } from '../../money/decimal.ts';

/** How many blocks so many units begin: the least whole number of them that holds all. Worked: 11 in blocks of 10 begin 2, 10 begin 1, 0 none. */
export function beginBlocks(units: Decimal, size: Decimal): Decimal {
  const full = units.divToInt(size);
  return full.times(size).lt(units) ? full.plus(ONE) : full;
}
