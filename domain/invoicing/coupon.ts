import { allocate } from '../money/allocate.ts';
import type { Currency } from '../money/currency.ts';
import { PERCENT, type Decimal } from '../money/decimal.ts';
import {
  NONE,
  compareFractions,
  divideFractions,
  multiplyFractions,
  roundFraction,
  subtractFractions,
  sumFractions,
  toFraction,
  type Fraction,
} from '../money/fraction.ts';
import { greater, isZero, lesser, money, noMoney, subtract, type Money } from '../money/money.ts';

interface CouponTerms {
  /** Tells it from the other coupons of the invoice. */
  readonly key: string;
  /** The lines that it may reduce, by id; all where nothing is said, none where it is empty. */
  readonly lines?: ReadonlySet<string> | undefined;
}

/** Takes an amount off, as far as there is something to take it off. */
export interface FixedCoupon<C extends string> extends CouponTerms {
  readonly kind: 'fixed';
  readonly amount: Money<C>;
  /** What it gave already of this amount: in its life if it is for once, in the present period if it comes again in each. */
  readonly used?: Money<C> | undefined;
}

export interface PercentageCoupon extends CouponTerms {
  readonly kind: 'percentage';
  readonly percent: Decimal;
}

export type Coupon<C extends string> = FixedCoupon<C> | PercentageCoupon;

/**
 * How an amount is shared out: `minorUnits` by largest remainder, so that each line has an amount that can be printed; `exact` keeps what
 * each line bears unrounded for the tax on it. The sum is the same, and in whole minor units.
 */
export const COUPON_SHARES = ['minorUnits', 'exact'] as const;
export type CouponShares = (typeof COUPON_SHARES)[number];

/** What is still to be paid of a line. */
export interface OpenLine {
  readonly id: string;
  readonly open: Fraction;
}

/** What a coupon did. */
export interface AppliedCoupon<C extends string> {
  readonly key: string;
  readonly amount: Money<C>;
  /** What it took off each line, in their order. */
  readonly shares: readonly Fraction[];
}

/**
 * Applies coupons one after the other, each to what those before it left. A coupon gives no more than its lines amount to together, and
 * takes its amount off those above 0 in proportion to what is open of each.
 * Worked: 0.10 and then 20 percent on a line of 1.00 give 0.10 and 0.18. 0.12 on lines of 2.00 and 1.00 are 0.08 and 0.04.
 */
export function applyCoupons<C extends string>(
  currency: Currency<C>,
  lines: readonly OpenLine[],
  coupons: readonly Coupon<C>[],
  shares: CouponShares,
): AppliedCoupon<C>[] {
  let open = lines;
  return coupons.map((coupon) => {
    const applied = applyCoupon(currency, open, coupon, shares);
    open = open.map((line, at) => ({
      ...line,
      open: subtractFractions(line.open, applied.shares[at] ?? NONE),
    }));
    return applied;
  });
}

function applyCoupon<C extends string>(
  currency: Currency<C>,
  lines: readonly OpenLine[],
  coupon: Coupon<C>,
  shares: CouponShares,
): AppliedCoupon<C> {
  const eligible = lines.filter(({ id }) => coupon.lines?.has(id) ?? true);
  const amount = amountOf(currency, coupon, sumFractions(eligible.map(({ open }) => open)));
  const bearing = eligible.filter(({ open }) => compareFractions(open, NONE) > 0);
  const parts = isZero(amount)
    ? []
    : sharesOf(
        amount,
        bearing.map(({ open }) => open),
        shares,
      );
  const byLine = new Map(bearing.map(({ id }, at) => [id, parts[at] ?? NONE]));
  return { key: coupon.key, amount, shares: lines.map(({ id }) => byLine.get(id) ?? NONE) };
}

/** What a coupon gives on a sum: in whole minor units, not below 0 and not above the sum. */
function amountOf<C extends string>(currency: Currency<C>, coupon: Coupon<C>, base: Fraction): Money<C> {
  const nothing = noMoney(currency);
  const payable = money(currency, roundFraction(base, { decimals: currency.decimals, rounding: 'floor' }));
  return greater(nothing, lesser(offered(currency, coupon, base), payable));
}

function offered<C extends string>(currency: Currency<C>, coupon: Coupon<C>, base: Fraction): Money<C> {
  if (coupon.kind === 'fixed') return subtract(coupon.amount, coupon.used ?? noMoney(currency));
  const exact = multiplyFractions(base, toFraction(coupon.percent.times(PERCENT)));
  return money(currency, roundFraction(exact, { decimals: currency.decimals, rounding: 'halfUp' }));
}

/** What each line bears, in proportion to what is open of it: never more than that, since the amount is not more than they are together. */
function sharesOf<C extends string>(
  amount: Money<C>,
  open: readonly Fraction[],
  shares: CouponShares,
): Fraction[] {
  if (shares === 'minorUnits') return allocate(amount, open).map((part) => toFraction(part.amount));
  const ratio = divideFractions(toFraction(amount.amount), sumFractions(open));
  return open.map((each) => multiplyFractions(each, ratio));
}
