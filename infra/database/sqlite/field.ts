import type { Instant } from '#domain/instant.ts';
import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import { fieldNamed, fieldsOf, type Field, type StoredRow } from '#infra/database/field.ts';
import { RefusedValue, StoreFailure } from '#infra/database/errors.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';
import type { SqlValue } from './connection.ts';

/** An identifier in SQL: names like `group` are words of the language. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const keyFieldsOf = (table: Table<object>): Field[] => {
  const fields = fieldsOf(table);
  return table.key.map((name) => fieldNamed(fields, name, table.name));
};

export function refuse(field: Field, why: string, cause?: unknown): never {
  throw new RefusedValue(`${field.table}.${field.name}: ${why}`, cause);
}

/** The value as it is stored. `committedAt` stands in for `commitTimestamp`. */
export function encodeValue(field: Field, value: unknown, committedAt: Instant = commitTimestamp): SqlValue {
  if (value === null) return field.nullable ? null : refuse(field, 'null in a column that is not nullable');
  if (value === undefined)
    throw new StoreFailure(`the row for ${field.table} lacks its column ${field.name}`);
  switch (field.type) {
    case 'string':
      return encodeText(field, value);
    case 'int64':
      return encodeInteger(field, value);
    case 'timestamp':
      return encodeInteger(field, value === commitTimestamp ? commitTimeOf(field, committedAt) : value);
    case 'bool':
      return typeof value === 'boolean' ? Number(value) : refuse(field, `not a boolean: ${typeof value}`);
    case 'bytes':
      return value instanceof Uint8Array ? value : refuse(field, `not bytes: ${typeof value}`);
    case 'hash':
      return encodeHash(field, value);
    case 'json':
      return encodeJson(field, value);
  }
}

/** Other stores have to be told beforehand which columns take it, so that a table that runs here must not do without. */
export function commitTimeOf(field: Field, committedAt: Instant): Instant {
  if (field.commitTime) return committedAt;
  throw new StoreFailure(`${field.table}.${field.name} is not declared as the time of a commit`);
}

export function encodeText(field: Field, value: unknown): string {
  if (typeof value !== 'string') return refuse(field, `not a string: ${typeof value}`);
  // UTF-8 cannot hold half a surrogate pair: it would come back as another character.
  return value.isWellFormed() ? value : refuse(field, 'a string with half a surrogate pair');
}

export const encodeInteger = (field: Field, value: unknown): number =>
  Number.isSafeInteger(value)
    ? (value as number)
    : refuse(field, `not an integer below 2^53: ${String(value)}`);

export function encodeJson(field: Field, value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? refuse(field, `not a JSON value: ${typeof value}`) : encodeText(field, text);
}

export function encodeHash(field: Field, value: unknown): Uint8Array {
  if (typeof value !== 'string' || value.length !== HASH128_BYTES)
    return refuse(field, 'not a hash of 16 bytes');
  const bytes = new Uint8Array(HASH128_BYTES);
  let all = 0;
  for (let i = 0; i < HASH128_BYTES; i++) {
    const code = value.charCodeAt(i);
    bytes[i] = code;
    all |= code;
  }
  return all <= 0xff ? bytes : refuse(field, 'not a hash: a character above 255');
}

export function decodeHash(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function decodeValue(field: Field, stored: SqlValue): unknown {
  if (stored === null) return null;
  switch (field.type) {
    case 'bool':
      return stored !== 0;
    case 'hash':
      return decodeHash(stored as Uint8Array);
    case 'json':
      return JSON.parse(stored as string);
    case 'string':
    case 'int64':
    case 'timestamp':
    case 'bytes':
      return stored;
  }
}

/** `stored` holds the values in the order of `fields`. */
export function decodeRow(fields: readonly Field[], stored: readonly SqlValue[]): StoredRow {
  const row: Record<string, unknown> = {};
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    row[field.name] = decodeValue(field, stored[i] ?? null);
  }
  return row;
}
