import fc from 'fast-check';
import { fromScaled, type Quantity } from '#domain/metering/quantity.ts';

/** Small and large, whole and fractional, and all around the border between the two forms, 2^53 - 1. */
export const quantities: fc.Arbitrary<Quantity> = fc.oneof(
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.maxSafeInteger(),
  fc
    .integer({ min: -3, max: 3 })
    .map((n) => fromScaled((BigInt(Number.MAX_SAFE_INTEGER) + BigInt(n)) * 10n ** 18n)),
  fc
    .integer({ min: -3, max: 3 })
    .map((n) => fromScaled((BigInt(Number.MIN_SAFE_INTEGER) + BigInt(n)) * 10n ** 18n)),
  fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }).map(fromScaled),
  fc.bigInt({ min: -20n, max: 20n }).map(fromScaled),
);
