import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { QueryFailed } from '../../errors.ts';
import type { SqlRow, SqlValue } from './named-query.ts';

/*
 * From the columns of an answer to the values of the port. The SQL decides what is in a column, so anything else here is a mistake in
 * this code: it must not pass as an answer.
 */

type Value = SqlValue | undefined;

export function text(value: Value): string {
  if (typeof value === 'string') return value;
  throw new QueryFailed(`expected text, BigQuery gave ${typeof value}`);
}

export const textOrNull = (value: Value): string | null => (value === null ? null : text(value));

export function texts(value: Value): string[] {
  if (Array.isArray(value)) return value.map(text);
  throw new QueryFailed(`expected a list, BigQuery gave ${typeof value}`);
}

export function count(value: Value): number {
  const whole = Number(text(value));
  if (!Number.isSafeInteger(whole)) throw new QueryFailed(`a count passes 2^53: ${text(value)}`);
  return whole;
}

/** From microseconds since the epoch. */
export const time = (value: Value): string => formatInstant(count(value));
export const timeOrNull = (value: Value): string | null => (value === null ? null : time(value));

/** A sum goes beyond the 20 digits that one value may have, so it is not checked against that bound again. */
const PLAIN = /^(-?)(\d+)(?:\.(\d{1,18}))?$/;

/** A decimal string in its one form from BigQuery's text of a BIGNUMERIC; null where nothing was aggregated. */
export function quantity(value: Value): string | null {
  if (value === null) return null;
  const [plain, sign, units, fraction] = PLAIN.exec(text(value)) ?? [];
  if (plain === undefined) throw new QueryFailed(`not a number of at most 18 decimals: ${text(value)}`);
  const trimmed = fraction?.replace(/0+$/, '') ?? '';
  const digits = (units ?? '').replace(/^0+(?=\d)/, '');
  if (digits === '0' && trimmed === '') return '0';
  return `${sign ?? ''}${digits}${trimmed === '' ? '' : `.${trimmed}`}`;
}

const LIMB_BITS = 32n;
const HASH_BITS = 128;
const HASH_HEX_DIGITS = 32;

/** 32 hex digits of the sum modulo 2^128, from the sums of the 32-bit limbs, the highest first. */
export function hashOfLimbs(limbs: readonly Value[]): string {
  const sum = limbs.reduce((high, limb) => (high << LIMB_BITS) + BigInt(text(limb)), 0n);
  return BigInt.asUintN(HASH_BITS, sum).toString(16).padStart(HASH_HEX_DIGITS, '0');
}

/** Throws where some of the events of a group have no value that is a number: a sum of the others would look like an answer. */
export function refuseWrong(row: SqlRow): void {
  const wrong = row['wrong'];
  if (typeof wrong === 'string')
    throw new QueryFailed(
      `the query has no exact answer: no value of at most 20 digits and 18 decimals in event ${wrong}`,
    );
}
