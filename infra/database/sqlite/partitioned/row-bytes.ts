import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import type { Instant } from '#domain/instant.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { commitTimeOf, encodeInteger, encodeJson, encodeText, refuse } from '#infra/database/sqlite/field.ts';
import type { Field, StoredRow } from '#infra/database/field.ts';
import { putByte, putBytes, putUtf8, putVarint } from './byte-sink.ts';
import type { ByteSink } from './byte-sink.ts';
import { putHash } from './key-bytes.ts';

const ABSENT = 0;
const PRESENT = 1;

/** The columns outside the key one after the other, as they are declared; one that may be null after a byte that says whether it is. */
export function putRow(sink: ByteSink, fields: readonly Field[], row: StoredRow, committedAt: Instant): void {
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    const value = row[field.name];
    if (value === undefined)
      throw new StoreFailure(`the row for ${field.table} lacks its column ${field.name}`);
    if (value === null) {
      if (!field.nullable) refuse(field, 'null in a column that is not nullable');
      putByte(sink, ABSENT);
      continue;
    }
    if (field.nullable) putByte(sink, PRESENT);
    putValue(sink, field, value, committedAt);
  }
}

function putValue(sink: ByteSink, field: Field, value: unknown, committedAt: Instant): void {
  switch (field.type) {
    case 'bytes':
      if (!(value instanceof Uint8Array)) refuse(field, `not bytes: ${typeof value}`);
      putVarint(sink, value.length);
      putBytes(sink, value);
      return;
    case 'hash':
      putHash(sink, field, value);
      return;
    case 'bool':
      if (typeof value !== 'boolean') refuse(field, `not a boolean: ${typeof value}`);
      putByte(sink, Number(value));
      return;
    case 'int64':
      putInteger(sink, encodeInteger(field, value));
      return;
    case 'timestamp':
      putInteger(
        sink,
        encodeInteger(field, value === commitTimestamp ? commitTimeOf(field, committedAt) : value),
      );
      return;
    case 'string':
      putText(sink, encodeText(field, value));
      return;
    case 'json':
      putText(sink, encodeJson(field, value));
  }
}

function putInteger(sink: ByteSink, value: number): void {
  putByte(sink, value < 0 ? 1 : 0);
  putVarint(sink, Math.abs(value));
}

function putText(sink: ByteSink, text: string): void {
  putVarint(sink, Buffer.byteLength(text));
  putUtf8(sink, text);
}

/** Reads the columns into `row`. Bytes are views of `bytes`, which nobody may change any more. */
export function readRow(
  fields: readonly Field[],
  bytes: Buffer<ArrayBuffer>,
  { from, to }: { readonly from: number; readonly to: number },
  row: Record<string, unknown>,
): StoredRow {
  const cursor = { bytes, at: from };
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    // A row that was written before the column was declared ends before it.
    if (cursor.at >= to || (field.nullable && bytes[cursor.at++] === ABSENT)) row[field.name] = null;
    else row[field.name] = readValue(cursor, field);
  }
  return row;
}

interface Cursor {
  readonly bytes: Buffer<ArrayBuffer>;
  at: number;
}

function readValue(cursor: Cursor, field: Field): unknown {
  switch (field.type) {
    case 'bytes': {
      const length = readVarint(cursor);
      const view = new Uint8Array(cursor.bytes.buffer, cursor.bytes.byteOffset + cursor.at, length);
      cursor.at += length;
      return view;
    }
    case 'hash':
      return cursor.bytes.toString('latin1', cursor.at, (cursor.at += HASH128_BYTES));
    case 'bool':
      return cursor.bytes[cursor.at++] === 1;
    case 'int64':
    case 'timestamp':
      return readInteger(cursor);
    case 'string':
      return readText(cursor);
    case 'json':
      return JSON.parse(readText(cursor)) as unknown;
  }
}

function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let unit = 1; ; unit *= 128) {
    const byte = cursor.bytes[cursor.at++] as number;
    value += (byte & 127) * unit;
    if (byte < 128) return value;
  }
}

function readInteger(cursor: Cursor): number {
  const negative = cursor.bytes[cursor.at++] === 1;
  const magnitude = readVarint(cursor);
  return negative ? -magnitude : magnitude;
}

function readText(cursor: Cursor): string {
  const length = readVarint(cursor);
  return cursor.bytes.toString('utf8', cursor.at, (cursor.at += length));
}
