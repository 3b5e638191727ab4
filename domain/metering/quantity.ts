import { trailingZeros } from './canonical-json.ts';

/**
 * An exact decimal quantity. A `number` is a whole number of units within ±(2^53 - 1), a `bigint` is scaled by 10^18 and used for
 * everything else. The form is normal: what fits a safe integer is always a number, so equal quantities are `===` equal.
 * Worked: 3 is `3`; 0.5 is `500000000000000000n`; 2^53 is `9007199254740992000000000000000000n`.
 */
export type Quantity = number | bigint;

export const QUANTITY_DECIMALS = 18;
export const QUANTITY_INTEGER_DIGITS = 20;
const SCALE = 10n ** BigInt(QUANTITY_DECIMALS);
const MAX_SAFE_SCALED = BigInt(Number.MAX_SAFE_INTEGER) * SCALE;

const scaled = (quantity: Quantity): bigint =>
  typeof quantity === 'bigint' ? quantity : BigInt(quantity) * SCALE;

/** Brings a scaled value into the normal form. */
export function fromScaled(value: bigint): Quantity {
  if (value > MAX_SAFE_SCALED || value < -MAX_SAFE_SCALED) return value;
  const whole = value / SCALE;
  return whole * SCALE === value ? Number(whole) : value;
}

/** The value times 10^18, as a whole number. */
export const toScaled = scaled;

export function add(a: Quantity, b: Quantity): Quantity {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return fromScaled(scaled(a) + scaled(b));
}

export const negate = (a: Quantity): Quantity => (a === 0 ? 0 : -a);
export const subtract = (a: Quantity, b: Quantity): Quantity => add(a, negate(b));

/** A whole-number multiple; exact. `factor` is a safe integer. */
export function times(a: Quantity, factor: number): Quantity {
  if (typeof a === 'number') {
    const product = a * factor;
    if (Number.isSafeInteger(product)) return product === 0 ? 0 : product;
  }
  return fromScaled(scaled(a) * BigInt(factor));
}

/** The exact product; undefined where it would need more than 18 decimals. */
export function multiply(a: Quantity, b: Quantity): Quantity | undefined {
  const product = scaled(a) * scaled(b);
  const value = product / SCALE;
  return value * SCALE === product ? fromScaled(value) : undefined;
}

/** Below 0, 0, or above 0, as `a` is less than, equal to, or greater than `b`. */
export function compare(a: Quantity, b: Quantity): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const difference = scaled(a) - scaled(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export type QuantityFault = 'value_not_a_number' | 'value_out_of_range';

const PLAIN_DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;
/** Integers of up to 15 digits are safe without looking further. */
const SHORT_INTEGER_DIGITS = 15;

/** Reads plain decimal text without exponent, as canonical JSON numbers are; at most 18 decimals and 20 integer digits. */
export function parsePlainDecimal(text: string): Quantity | QuantityFault {
  const short = parseShortInteger(text);
  if (short !== undefined) return short;
  const match = PLAIN_DECIMAL.exec(text);
  if (!match) return 'value_not_a_number';
  const integer = (match[2] ?? '').replace(/^0+(?=\d)/, '');
  const decimals = match[3] ?? '';
  const fraction = decimals.slice(0, decimals.length - trailingZeros(decimals));
  if (integer.length > QUANTITY_INTEGER_DIGITS || fraction.length > QUANTITY_DECIMALS)
    return 'value_out_of_range';
  const magnitude = BigInt(integer) * SCALE + BigInt(fraction.padEnd(QUANTITY_DECIMALS, '0'));
  return fromScaled(match[1] ? -magnitude : magnitude);
}

/** The hot path: most values are short whole numbers, read digit by digit without a regular expression. */
function parseShortInteger(text: string): number | undefined {
  const length = text.length;
  const negative = text.charCodeAt(0) === 45;
  const start = negative ? 1 : 0;
  if (length === start || length - start > SHORT_INTEGER_DIGITS) return undefined;
  let value = 0;
  for (let i = start; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return negative && value !== 0 ? -value : value;
}

/** Plain decimal text without exponent or trailing zeros: `-12.5`, `0`, `0.000000000000000001`. */
export function toDecimalString(quantity: Quantity): string {
  if (typeof quantity === 'number') return String(quantity);
  const negative = quantity < 0n;
  const digits = (negative ? -quantity : quantity).toString().padStart(QUANTITY_DECIMALS + 1, '0');
  const point = digits.length - QUANTITY_DECIMALS;
  const fraction = digits.slice(point).replace(/0+$/, '');
  const plain = fraction === '' ? digits.slice(0, point) : `${digits.slice(0, point)}.${fraction}`;
  return negative ? `-${plain}` : plain;
}

/** Reads what `toDecimalString` wrote, however large: a sum has no bound, what is summed up has. */
export function fromDecimalString(text: string): Quantity {
  const short = parseShortInteger(text);
  if (short !== undefined) return short;
  const match = PLAIN_DECIMAL.exec(text);
  if (!match) throw new RangeError(`not a decimal as quantities are written: ${text}`);
  const magnitude = BigInt((match[2] ?? '') + (match[3] ?? '').padEnd(QUANTITY_DECIMALS, '0'));
  return fromScaled(match[1] ? -magnitude : magnitude);
}
