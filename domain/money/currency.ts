import { CURRENCY_DECIMALS_MAX } from '../limits.ts';
import { ISO_4217_DECIMALS } from './iso-4217.ts';
import { MoneyError } from './money-error.ts';

/** What rounding and formatting need of a currency, whichever it is. */
export interface AnyCurrency {
  readonly code: string;
  /** Decimals of the minor unit: what a line is rounded to. */
  readonly decimals: number;
}

declare const onlyThis: unique symbol;

/**
 * A currency that the compiler tells from every other: `C` stands for it alone. Amounts of two currencies have no common type, so no
 * operation takes both. The property below exists for the compiler only: it makes `C` neither widen nor narrow, and keeps `AnyCurrency` out.
 */
export interface Currency<C extends string> extends AnyCurrency {
  readonly code: C;
  readonly [onlyThis]: (code: C) => C;
}

/** One code that is known where it is written: neither any string nor a choice of several, which would mix what they stand for. */
type OneCode<C extends string, Each extends string = C> = string extends C
  ? never
  : Each extends unknown
    ? [C] extends [Each]
      ? C
      : never
    : never;

const ISO_CURRENCIES: ReadonlyMap<string, AnyCurrency> = new Map(
  [...ISO_4217_DECIMALS].map(([code, decimals]) => [code, Object.freeze({ code, decimals })]),
);

/** A currency that the code names itself: `isoCurrency('EUR')`. Throws `MoneyError` (`unknown_currency`). */
export const isoCurrency = <const C extends string>(code: OneCode<C>): Currency<C> =>
  known<C>(anyCurrency(code));

/** Says to the compiler that a currency is the one of its type parameter: the only place where that is taken on trust. */
const known = <C extends string>(currency: AnyCurrency): Currency<C> => currency as Currency<C>;

/** The ISO 4217 currency of a code that comes from outside. Throws `MoneyError` (`unknown_currency`). */
export function anyCurrency(code: string): AnyCurrency {
  const currency = ISO_CURRENCIES.get(code);
  if (!currency) throw new MoneyError('unknown_currency', `${JSON.stringify(code)} is no ISO 4217 currency`);
  return currency;
}

export const isIsoCurrency = (code: string): boolean => ISO_CURRENCIES.has(code);

/**
 * Does something in a currency that only the data know. Inside `use` it is a type of its own, equal to no other, so two calls inside one
 * another cannot mix their amounts either. Throws `MoneyError` (`unknown_currency`).
 */
export const withCurrency = <R>(
  currency: string | AnyCurrency,
  use: <C extends string>(currency: Currency<C>) => R,
): R => use(known<string>(typeof currency === 'string' ? anyCurrency(currency) : currency));

/** A currency with a number of decimals of our own choosing: a custom unit, or another system's rounding. */
export function currencyWithDecimals(code: string, decimals: number): AnyCurrency {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > CURRENCY_DECIMALS_MAX)
    throw new MoneyError('invalid_unit', `decimals are a whole number from 0 to ${CURRENCY_DECIMALS_MAX}`);
  return Object.freeze({ code, decimals });
}
