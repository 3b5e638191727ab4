import fc from 'fast-check';
import { Decimal } from '#domain/money/decimal.ts';
import type { Fraction } from '#domain/money/fraction.ts';
import { fraction } from '#domain/money/fraction.ts';

/** Decimals of at most so many digits after the point, small ones as likely as large. */
export const decimals = (places = 6, magnitude = 10n ** 15n): fc.Arbitrary<Decimal> =>
  fc
    .tuple(
      fc.oneof(fc.bigInt({ min: -1_000n, max: 1_000n }), fc.bigInt({ min: -magnitude, max: magnitude })),
      fc.nat({ max: places }),
    )
    .map(([digits, decimals]) => new Decimal(`${digits}e-${decimals}`));

export const positiveDecimals = (places = 6): fc.Arbitrary<Decimal> =>
  decimals(places)
    .filter((value) => !value.isZero())
    .map((value) => value.abs());

export const fractions: fc.Arbitrary<Fraction> = fc
  .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.bigInt({ min: 1n, max: 5_000n }))
  .map(([numerator, denominator]) => fraction(numerator, denominator));
