import { CURRENCY_DECIMALS_MAX } from '../limits.ts';
import { METER_KEY } from '../metering/meter.ts';
import type { Violation } from '../violation.ts';
import { currencyWithDecimals, isIsoCurrency, withCurrency, type Currency } from './currency.ts';
import { parseDecimal, readDecimal } from './decimal.ts';
import { MoneyError } from './money-error.ts';
import { dividedBy, money, times, type Money } from './money.ts';
import type { Quotient } from './rounding.ts';

/** A currency of our own, such as "credits", as a user gives it. Its key is lower case, so it is never taken for an ISO 4217 code. */
export interface CustomUnitDefinition {
  readonly key: string;
  readonly decimals: number;
  /** What one unit costs; an ISO 4217 code and a decimal. */
  readonly cost: { readonly currency: string; readonly amount: string };
}

/** A custom unit ready for use: amounts in `U`, each costing so much in `C`. */
export interface CustomUnit<U extends string, C extends string> {
  readonly currency: Currency<U>;
  readonly cost: Money<C>;
}

/** All that is wrong with a unit, at once. */
export function checkCustomUnit({ key, decimals, cost }: CustomUnitDefinition): Violation[] {
  const found: Violation[] = [];
  if (!METER_KEY.test(key))
    found.push({ pointer: '/key', code: 'invalid_key', message: `a unit's key matches ${METER_KEY.source}` });
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > CURRENCY_DECIMALS_MAX) {
    const message = `is a whole number from 0 to ${CURRENCY_DECIMALS_MAX}`;
    found.push({ pointer: '/decimals', code: 'invalid_decimals', message });
  }
  if (!isIsoCurrency(cost.currency))
    found.push({
      pointer: '/cost/currency',
      code: 'unknown_currency',
      message: 'is no ISO 4217 code such as EUR',
    });
  return [...found, ...checkCost(cost.amount)];
}

function checkCost(text: string): Violation[] {
  const pointer = '/cost/amount';
  const amount = readDecimal(text);
  if (typeof amount === 'string') return [{ pointer, code: amount, message: 'is a decimal such as "0.01"' }];
  return amount.greaterThan(0) ? [] : [{ pointer, code: 'cost_not_positive', message: 'must be above 0' }];
}

/**
 * Does something in a custom unit. Inside `use` the unit and the currency of its cost are types of their own.
 * Throws `MoneyError` (`invalid_unit`, with every violation).
 */
export function withCustomUnit<R>(
  definition: CustomUnitDefinition,
  use: <U extends string, C extends string>(unit: CustomUnit<U, C>) => R,
): R {
  const violations = checkCustomUnit(definition);
  if (violations.length > 0) throw new MoneyError('invalid_unit', 'this is no custom unit', violations);
  const { key, decimals, cost } = definition;
  return withCurrency(currencyWithDecimals(key, decimals), (currency) =>
    withCurrency(cost.currency, (costing) =>
      use({ currency, cost: money(costing, parseDecimal(cost.amount)) }),
    ),
  );
}

/** What an amount in a custom unit costs; exact, so rounded where a line is. Worked: 250 credits at 0.01 USD are 2.50 USD. */
export const costOf = <U extends string, C extends string>(
  { cost }: CustomUnit<U, C>,
  { amount }: Money<NoInfer<U>>,
): Money<C> => times(cost, amount);

/** How much of a custom unit an amount of money buys, rounded once as said. */
export const unitsFor = <U extends string, C extends string>(
  { currency, cost }: CustomUnit<U, C>,
  paid: Money<NoInfer<C>>,
  quotient: Quotient,
): Money<U> => money(currency, dividedBy(paid, cost.amount, quotient).amount);
