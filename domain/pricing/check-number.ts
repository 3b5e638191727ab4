import { readDecimal, type Decimal } from '../money/decimal.ts';
import type { Violation } from '../violation.ts';

/** What a number may be: any, not below 0, or above 0. */
export type Bound = 'any' | 'notNegative' | 'positive';

export const violation = (pointer: string, code: string, message: string): Violation => ({
  pointer,
  code,
  message,
});

const MESSAGES = {
  not_a_decimal: 'must be a decimal such as "1000" or "0.5"',
  decimal_out_of_range: 'has more digits than a decimal may have (30 before and 30 after the point)',
} as const;

/** What is wrong with a decimal text. One that may be left out is right when it is. */
export function checkNumber(pointer: string, text: string, bound: Bound = 'notNegative'): Violation[] {
  const value = readDecimal(text);
  if (typeof value === 'string') return [violation(pointer, value, MESSAGES[value])];
  if (bound === 'notNegative' && value.isNegative() && !value.isZero())
    return [violation(pointer, 'below_zero', 'must not be below 0')];
  if (bound === 'positive' && !value.gt(0)) return [violation(pointer, 'not_above_zero', 'must be above 0')];
  return [];
}

export const checkOptional = (
  pointer: string,
  text: string | null | undefined,
  bound: Bound = 'notNegative',
): Violation[] => (text == null ? [] : checkNumber(pointer, text, bound));

/** The number of a text, if it is one: what is compared with others while each is checked for itself. */
export function numberOf(text: string | null | undefined): Decimal | undefined {
  const value = text == null ? undefined : readDecimal(text);
  return typeof value === 'string' ? undefined : value;
}
