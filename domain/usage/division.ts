import { QUANTITY_DECIMALS, fromScaled, type Quantity } from '../metering/quantity.ts';

/** An average, of events or over time, is the only division in usage. It is rounded once, half away from zero, to this many decimals. */
export const AVERAGE_DECIMALS = QUANTITY_DECIMALS;

/** `numerator` is scaled by 10^18, `divisor` is a positive whole number. Worked: 2 / 3 is 0.666666666666666667, -0.5e-18 is -1e-18. */
export function divideHalfAwayFromZero(numerator: bigint, divisor: bigint): Quantity {
  const magnitude = numerator < 0n ? -numerator : numerator;
  // floor((2n + d) / 2d) = floor(n / d + 1/2) rounds the half of a magnitude up, which is away from zero.
  const rounded = (2n * magnitude + divisor) / (2n * divisor);
  return fromScaled(numerator < 0n ? -rounded : rounded);
}
