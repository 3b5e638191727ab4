import fc from 'fast-check';
import { COUPON_SHARES, type Coupon } from '#domain/invoicing/coupon.ts';
import type { InvoiceTerms } from '#domain/invoicing/invoice-terms.ts';
import type { TaxRate } from '#domain/invoicing/tax-rate.ts';
import { PRICES } from '#domain/invoicing/tax.ts';
import type { Currency } from '#domain/money/currency.ts';
import { Decimal } from '#domain/money/decimal.ts';
import { fraction } from '#domain/money/fraction.ts';
import { money, type Money } from '#domain/money/money.ts';
import { periodOf, vat } from './terms.ts';

/** Terms of any kind, in one currency. Amounts are small as often as large, since cents are where splits go wrong. */

export const amounts = <C extends string>(currency: Currency<C>, min = 0n): fc.Arbitrary<Money<C>> =>
  fc
    .oneof(fc.bigInt({ min, max: 30n }), fc.bigInt({ min: min * 1_000_000n, max: 10n ** 9n }))
    .map((units) => money(currency, new Decimal(`${units}e-${currency.decimals}`)));

const percents = (max: number): fc.Arbitrary<Decimal> =>
  fc.oneof(
    fc.constantFrom(0, 5, 7, 19, 20, 100).map((percent) => new Decimal(Math.min(percent, max))),
    fc.integer({ min: 0, max: max * 10_000 }).map((parts) => new Decimal(`${parts}e-4`)),
  );

const TAX_CODES = ['vat', 'gst', 'city'] as const;
/** No code twice, so that no line has one tax twice. */
const taxRates: fc.Arbitrary<readonly TaxRate[]> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...TAX_CODES), percents(60)), {
    maxLength: 3,
    selector: ([code]) => code,
  })
  .map((rates) => rates.map(([code, rate]) => ({ ...vat('0'), code, rate })));

const periods = fc.constantFrom(periodOf(20_454), periodOf(20_454, 10), periodOf(20_485, 28));
const lineIds = fc.nat({ max: 11 }).map(String);

/** `used` may be more than the amount is: then nothing is left. */
export const coupons = <C extends string>(currency: Currency<C>): fc.Arbitrary<Coupon<C>[]> => {
  const lines = fc.option(
    fc.array(lineIds).map((ids) => new Set(ids)),
    { nil: undefined },
  );
  const fixed = fc.record({ amount: amounts(currency), used: amounts(currency), lines });
  const percentage = fc.record({ percent: percents(100), lines });
  const either: fc.Arbitrary<Omit<Coupon<C>, 'key'>> = fc.oneof(
    fixed.map((coupon) => ({ kind: 'fixed' as const, ...coupon })),
    percentage.map((coupon) => ({ kind: 'percentage' as const, ...coupon })),
  );
  return fc
    .array(either, { maxLength: 5 })
    .map((all) => all.map((coupon, at) => ({ ...coupon, key: String(at) }) as Coupon<C>));
};

/** `least`: how far below 0 lines may be. */
export function invoiceTerms<C extends string>(
  currency: Currency<C>,
  least = 0n,
): fc.Arbitrary<InvoiceTerms<C>> {
  const line = fc.record({ amount: amounts(currency, least), period: periods, taxRates });
  const bound = { before: amounts(currency), period: periods, taxRates };
  const commitment = fc.record({
    amount: amounts(currency),
    period: periods,
    part: fc.integer({ min: 0, max: 31 }).map((days) => fraction(BigInt(days), 31n)),
    overageFactor: fc.integer({ min: 100, max: 300 }).map((parts) => new Decimal(`${parts}e-2`)),
    trueUp: fc.boolean(),
    taxRates,
  });
  const parts = fc.record(
    {
      // Two amounts in order, so that the minimum is not above the maximum.
      bounds: fc.tuple(amounts(currency), amounts(currency)),
      lines: fc.array(line, { maxLength: 10 }),
      minimum: fc.record(bound),
      maximum: fc.record({ before: amounts(currency) }),
      commitments: fc.array(commitment, { maxLength: 2 }),
      coupons: coupons(currency),
      couponShares: fc.constantFrom(...COUPON_SHARES),
      prices: fc.constantFrom(...PRICES),
    },
    { requiredKeys: ['bounds', 'lines'] },
  );
  return parts.map(({ bounds, lines, minimum, maximum, commitments = [], ...rest }) => {
    const [least, most] = bounds.toSorted((a, b) => a.amount.comparedTo(b.amount));
    return {
      currency,
      lines: lines.map((each, at) => ({ ...each, id: String(at) })),
      ...(minimum && { minimum: { ...minimum, key: '10', amount: least! } }),
      ...(maximum && { maximum: { ...maximum, amount: most! } }),
      commitments: commitments.map((each, at) => ({ ...each, key: `commitment ${at}` })),
      ...rest,
    };
  });
}
