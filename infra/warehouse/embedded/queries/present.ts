import { DuckDBListValue, type DuckDBValue } from '@duckdb/node-api';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { fromScaled, toDecimalString } from '#domain/metering/quantity.ts';
import { QueryFailed } from '../../errors.ts';

/*
 * From the engine's values to those of the port. The SQL decides the types, so anything else here is a mistake in this code: it must
 * not pass as an answer.
 */

function integer(value: DuckDBValue | undefined): bigint {
  if (typeof value === 'bigint') return value;
  throw new QueryFailed(`expected an integer, the engine gave ${typeof value}`);
}

export function count(value: DuckDBValue | undefined): number {
  const whole = Number(integer(value));
  if (!Number.isSafeInteger(whole)) throw new QueryFailed(`a count passes 2^53: ${whole}`);
  return whole;
}

export function text(value: DuckDBValue | undefined): string {
  if (typeof value === 'string') return value;
  throw new QueryFailed(`expected text, the engine gave ${typeof value}`);
}

export const textOrNull = (value: DuckDBValue | undefined): string | null =>
  value === null ? null : text(value);

export function texts(value: DuckDBValue | undefined): string[] {
  if (value instanceof DuckDBListValue) return value.items.map(text);
  throw new QueryFailed(`expected a list, the engine gave ${typeof value}`);
}

export const time = (value: DuckDBValue | undefined): string => formatInstant(count(value));
export const timeOrNull = (value: DuckDBValue | undefined): string | null =>
  value === null ? null : time(value);

const SCALE = 10n ** 18n;
const HALF_BITS = 64n;
const HASH_BITS = 128;
const HASH_HEX_DIGITS = 32;

/** A decimal string from the sums of whole units and of fractions (of 10^-18); null where nothing was summed. */
export function quantity(units: DuckDBValue | undefined, fractions: DuckDBValue | undefined): string | null {
  if (units === null) return null;
  return toDecimalString(fromScaled(integer(units) * SCALE + integer(fractions)));
}

/** A decimal string from a value times 10^18. */
export const scaledQuantity = (scaled: DuckDBValue | undefined): string | null =>
  scaled === null ? null : toDecimalString(fromScaled(integer(scaled)));

/** 32 hex digits from the two halves of a hash, or from the sums of halves: their sum modulo 2^128. */
export function hash(high: DuckDBValue | undefined, low: DuckDBValue | undefined): string {
  const sum = BigInt.asUintN(HASH_BITS, (integer(high) << HALF_BITS) + integer(low));
  return sum.toString(16).padStart(HASH_HEX_DIGITS, '0');
}

export const hashOrNull = (high: DuckDBValue | undefined, low: DuckDBValue | undefined): string | null =>
  high === null ? null : hash(high, low);
