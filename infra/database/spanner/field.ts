import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import type { Field } from '#infra/database/field.ts';
import { RefusedValue, StoreFailure } from '#infra/database/errors.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { instantOf, timestampText } from './timestamp-text.ts';

/** A value of the protocol: whole numbers, times, bytes and hashes are text there. */
export type WireValue =
  { readonly stringValue: string } | { readonly boolValue: boolean } | { readonly nullValue: 0 };
/** The same as the client library gives it in rows; see `row-stream.ts`. */
export type WireText = string | boolean | null;

/** Spanner's own limits. A longer value can never be stored, so it is refused before it is sent. */
export const STRING_CHARS_MAX = 2_621_440;
export const CELL_BYTES_MAX = 10 * 1_024 * 1_024;

/** What Spanner replaces by the time of the commit. */
const COMMIT_TIMESTAMP = { stringValue: 'spanner.commit_timestamp()' } as const;
const NULL = { nullValue: 0 } as const;

function refuse(field: Field, why: string, cause?: unknown): never {
  throw new RefusedValue(`${field.table}.${field.name}: ${why}`, cause);
}

/** Throws `RefusedValue` for what the column can never hold, and `StoreFailure` for a row that lacks it. */
export function encodeValue(field: Field, value: unknown): WireValue {
  if (value === null) return field.nullable ? NULL : refuse(field, 'null in a column that is not nullable');
  if (value === undefined)
    throw new StoreFailure(`the row for ${field.table} lacks its column ${field.name}`);
  switch (field.type) {
    case 'string':
      return { stringValue: text(field, value) };
    case 'int64':
      return { stringValue: String(integer(field, value)) };
    case 'timestamp':
      return value === commitTimestamp
        ? commitTime(field)
        : { stringValue: timestampText(integer(field, value)) };
    case 'bool':
      return typeof value === 'boolean'
        ? { boolValue: value }
        : refuse(field, `not a boolean: ${typeof value}`);
    case 'bytes':
      return { stringValue: bytes(field, value) };
    case 'hash':
      return { stringValue: hash(field, value) };
    case 'json':
      return { stringValue: json(field, value) };
  }
}

function text(field: Field, value: unknown): string {
  if (typeof value !== 'string') return refuse(field, `not a string: ${typeof value}`);
  // UTF-8 cannot hold half a surrogate pair.
  if (!value.isWellFormed()) return refuse(field, 'a string with half a surrogate pair');
  if (value.length > STRING_CHARS_MAX && codePoints(value) > STRING_CHARS_MAX)
    return refuse(field, `a string of more than ${STRING_CHARS_MAX} characters`);
  return value;
}

/** What Spanner counts as characters. */
const codePoints = (text: string): number => Array.from(text).length;

const integer = (field: Field, value: unknown): number =>
  Number.isSafeInteger(value)
    ? (value as number)
    : refuse(field, `not an integer below 2^53: ${String(value)}`);

function commitTime(field: Field): WireValue {
  if (field.commitTime) return COMMIT_TIMESTAMP;
  throw new StoreFailure(`${field.table}.${field.name} is not declared as the time of a commit`);
}

function bytes(field: Field, value: unknown): string {
  if (!(value instanceof Uint8Array)) return refuse(field, `not bytes: ${typeof value}`);
  if (value.byteLength > CELL_BYTES_MAX) return refuse(field, `more than ${CELL_BYTES_MAX} bytes`);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

function hash(field: Field, value: unknown): string {
  if (typeof value !== 'string' || value.length !== HASH128_BYTES)
    return refuse(field, 'not a hash of 16 bytes');
  for (let i = 0; i < value.length; i++)
    if (value.charCodeAt(i) > 0xff) return refuse(field, 'not a hash: a character above 255');
  return Buffer.from(value, 'latin1').toString('base64');
}

function json(field: Field, value: unknown): string {
  const document = JSON.stringify(value) as string | undefined;
  return document === undefined ? refuse(field, `not a JSON value: ${typeof value}`) : text(field, document);
}

/** Throws `StoreFailure` for a whole number that JavaScript cannot hold. */
export function decodeValue(field: Field, stored: WireText): unknown {
  if (stored === null) return null;
  switch (field.type) {
    case 'string':
    case 'bool':
      return stored;
    case 'int64':
      return safeInteger(field, Number(stored));
    case 'timestamp':
      return instantOf(stored as string);
    case 'bytes':
      return bytesOf(stored as string);
    case 'hash':
      return Buffer.from(stored as string, 'base64').toString('latin1');
    case 'json':
      return JSON.parse(stored as string);
  }
}

function safeInteger(field: Field, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new StoreFailure(`${field.table}.${field.name} holds ${value}, which is beyond 2^53`);
}

/** Plain bytes, as they were written, and not the buffer that they were decoded to. */
function bytesOf(base64: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.from(base64, 'base64');
  return new Uint8Array(buffer, byteOffset, byteLength);
}
