import type { AnyCurrency, Currency } from './currency.ts';
import { ZERO, parseDecimal, toDecimalText, type Decimal } from './decimal.ts';
import { multiplyFractions, roundFraction, toFraction, type Fraction } from './fraction.ts';
import { MoneyError } from './money-error.ts';
import { divide, round, type Quotient, type Rounding } from './rounding.ts';

/**
 * An exact amount of one currency, with as many decimals as it takes: a price of 0.000002 USD is money, and what is paid is what
 * `roundMoney` makes of it. Never changed in place.
 */
export interface Money<C extends string> {
  readonly currency: Currency<C>;
  readonly amount: Decimal;
}

/** An amount of whichever currency: it can be shown and stored, but not added to another. */
export interface AnyMoney {
  readonly currency: AnyCurrency;
  readonly amount: Decimal;
}

/** The compiler takes the currency from the first amount and holds the others to it. */
type Same<C extends string> = Money<NoInfer<C>>;

export const money = <C extends string>(currency: Currency<C>, amount: Decimal): Money<C> => ({
  currency,
  amount,
});

/** Reads plain decimal text, exactly. Throws `MoneyError`. */
export const parseMoney = <C extends string>(currency: Currency<C>, text: string): Money<C> =>
  money(currency, parseDecimal(text));

/** Nothing, in a currency. */
export const noMoney = <C extends string>(currency: Currency<C>): Money<C> => money(currency, ZERO);

export const add = <C extends string>(a: Money<C>, b: Same<C>): Money<C> =>
  money(inOne(a, b), a.amount.plus(b.amount));

export const subtract = <C extends string>(a: Money<C>, b: Same<C>): Money<C> =>
  money(inOne(a, b), a.amount.minus(b.amount));

/** The sum of any number of amounts, in their order; of none it is nothing. */
export function sum<C extends string>(currency: Currency<C>, amounts: Iterable<Same<C>>): Money<C> {
  let total = ZERO;
  for (const each of amounts) {
    mustBe(currency, each.currency);
    total = total.plus(each.amount);
  }
  return money(currency, total);
}

export const negate = <C extends string>({ currency, amount }: Money<C>): Money<C> =>
  money(currency, amount.isZero() ? ZERO : amount.neg());

/** So many times an amount; exact. */
export const times = <C extends string>({ currency, amount }: Money<C>, factor: Decimal): Money<C> =>
  money(currency, amount.times(factor));

/** A part of an amount, rounded once as said. Throws `MoneyError` (`division_by_zero`). */
export const dividedBy = <C extends string>(
  { currency, amount }: Money<C>,
  divisor: Decimal,
  quotient: Quotient,
): Money<C> => money(currency, divide(amount, divisor, quotient));

/** Below 0, 0, or above 0, as `a` is less than, equal to, or greater than `b`. */
export function compare<C extends string>(a: Money<C>, b: Same<C>): number {
  inOne(a, b);
  return a.amount.comparedTo(b.amount);
}

export const lesser = <C extends string>(a: Money<C>, b: Same<C>): Money<C> => (compare(a, b) <= 0 ? a : b);
export const greater = <C extends string>(a: Money<C>, b: Same<C>): Money<C> => (compare(a, b) >= 0 ? a : b);

/** To the minor unit of the currency. Worked: 10.005 EUR is 10.01, -0.5 JPY is -1, 1.0005 BHD is 1.001. */
export const roundMoney = <C extends string>(
  { currency, amount }: Money<C>,
  rounding: Rounding = 'halfUp',
): Money<C> => money(currency, round(amount, currency.decimals, rounding));

/** A part of an amount, rounded once to the minor unit. Worked: 20 days of 30, 2/3, of 0.02 EUR are 0.01 EUR. */
export function prorated<C extends string>(
  { currency, amount }: Money<C>,
  part: Fraction,
  rounding: Rounding = 'halfUp',
): Money<C> {
  const exact = multiplyFractions(toFraction(amount), part);
  return money(currency, roundFraction(exact, { decimals: currency.decimals, rounding }));
}

export const isZero = ({ amount }: AnyMoney): boolean => amount.isZero();

/** Whether an amount can be paid: it has no decimals beyond the minor unit. */
export const isPayable = ({ currency, amount }: AnyMoney): boolean =>
  amount.decimalPlaces() <= currency.decimals;

/** As it travels: plain, without trailing zeros. */
export const toMoneyText = ({ amount }: AnyMoney): string => toDecimalText(amount);

/** As it is shown: with all decimals of the minor unit, and more where the amount has more. Worked: `12.50`, `0.000002`, JPY `1200`. */
export const toFullText = ({ currency, amount }: AnyMoney): string => {
  const decimals = Math.max(currency.decimals, amount.decimalPlaces());
  return (amount.isZero() ? ZERO : amount).toFixed(decimals);
};

/** Types cannot see what was read from outside under a wrong type; that must not become a sum of two currencies either. */
function inOne<C extends string>(a: Money<C>, b: Same<C>): Currency<C> {
  mustBe(a.currency, b.currency);
  return a.currency;
}

function mustBe(expected: { readonly code: string }, found: { readonly code: string }): void {
  if (expected === found || expected.code === found.code) return;
  throw new MoneyError('currency_mismatch', `an amount in ${found.code} where ${expected.code} is expected`);
}
