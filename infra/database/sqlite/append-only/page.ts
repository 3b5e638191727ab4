import type { Instant } from '#domain/instant.ts';
import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { commitTimeOf, encodeInteger, encodeJson, encodeText, refuse } from '#infra/database/sqlite/field.ts';
import type { Field, StoredRow } from '#infra/database/field.ts';
import { createByteReader, createByteWriter } from './bytes.ts';
import type { ByteReader } from './bytes.ts';

/** A dictionary's places then fit one byte, and one row is found without reading much else. */
export const MAX_PAGE_ROWS = 256;

/** 1 had integers as deltas; no release wrote it. */
const FORMAT = 2;
const NO_NULLS = 0;
const SOME_NULLS = 1;
const CONSTANT = 0;
const DISTANCES = 1;
const DOUBLES = 2;
const DOUBLE_BYTES = 8;
/** Six bytes: a distance that the platform reads and writes as one number. Nine years of microseconds. */
const MAX_DISTANCE = 2 ** 48 - 1;
const NO_HASH: Hash128 = '\0'.repeat(HASH128_BYTES);

const writer = createByteWriter();

/** Identities, 16 bytes each. */
export function encodeIds(field: Field, ids: readonly Hash128[]): Uint8Array {
  writeHashes(field, ids);
  return writer.take();
}

/** All columns but the key, column by column. A page knows how many it has: columns added later are null in it. */
export function encodePage(
  fields: readonly Field[],
  rows: readonly StoredRow[],
  committedAt: Instant,
): Uint8Array {
  try {
    writer.byte(FORMAT);
    writer.varint(fields.length);
    for (const field of fields) writeColumn(field, rows, committedAt);
    return writer.take();
  } catch (error) {
    writer.take();
    throw error;
  }
}

/** The values of one row, in the order of `fields`: what lies before them is stepped over, not made. */
export function decodeRowAt(
  fields: readonly Field[],
  rest: Uint8Array,
  count: number,
  at: number,
): unknown[] {
  const reader = createByteReader(rest);
  const format = reader.byte();
  if (format !== FORMAT) throw new StoreFailure(`a page of format ${format}; this release reads ${FORMAT}`);
  const stored = reader.varint();
  return fields.map((field, i) => (i < stored ? readCell(reader, field, count, at) : null));
}

function readCell(reader: ByteReader, field: Field, count: number, at: number): unknown {
  const nulls = reader.byte() === SOME_NULLS ? reader.bytes(Math.ceil(count / 8)) : undefined;
  const value = readValue(reader, field, count, at);
  return nulls !== undefined && ((nulls[at >> 3] ?? 0) & (1 << (at & 7))) !== 0 ? null : value;
}

function readValue(reader: ByteReader, field: Field, count: number, at: number): unknown {
  switch (field.type) {
    case 'hash': {
      reader.skip(at * HASH128_BYTES);
      const hash = reader.latin1(HASH128_BYTES);
      reader.skip((count - at - 1) * HASH128_BYTES);
      return hash;
    }
    case 'string':
      return readString(reader, count, at);
    case 'json':
      return JSON.parse(readString(reader, count, at));
    case 'int64':
    case 'timestamp':
      return readInteger(reader, count, at);
    case 'bool':
      return readInteger(reader, count, at) !== 0;
    case 'bytes': {
      let value = new Uint8Array();
      for (let i = 0; i < count; i++) {
        const length = reader.varint();
        if (i === at) value = new Uint8Array(reader.bytes(length));
        else reader.skip(length);
      }
      return value;
    }
  }
}

function readString(reader: ByteReader, count: number, at: number): string {
  const strings = reader.varint();
  const ends = new Uint32Array(strings);
  let end = 0;
  for (let i = 0; i < strings; i++) ends[i] = end += reader.varint();
  const all = reader.utf8();
  let place = 0;
  if (strings > 1) {
    reader.skip(at);
    place = reader.byte();
    reader.skip(count - at - 1);
  }
  return all.slice(place === 0 ? 0 : ends[place - 1], ends[place]);
}

function readInteger(reader: ByteReader, count: number, at: number): number {
  const mode = reader.byte();
  if (mode === CONSTANT) return reader.double();
  if (mode === DOUBLES) {
    reader.skip(at * DOUBLE_BYTES);
    const value = reader.double();
    reader.skip((count - at - 1) * DOUBLE_BYTES);
    return value;
  }
  const least = reader.double();
  const width = reader.byte();
  reader.skip(at * width);
  const value = least + reader.uint(width);
  reader.skip((count - at - 1) * width);
  return value;
}

function writeColumn(field: Field, rows: readonly StoredRow[], committedAt: Instant): void {
  const { name } = field;
  const values = new Array<unknown>(rows.length);
  let nulls = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]?.[name];
    if (value === null) nulls++;
    else if (value === undefined)
      throw new StoreFailure(`the row for ${field.table} lacks its column ${name}`);
    values[i] =
      value === commitTimestamp && field.type === 'timestamp' ? commitTimeOf(field, committedAt) : value;
  }
  if (nulls > 0 && !field.nullable) refuse(field, 'null in a column that is not nullable');
  writer.byte(nulls > 0 ? SOME_NULLS : NO_NULLS);
  if (nulls > 0) writeNulls(values);
  writeValues(field, values);
}

function writeNulls(values: readonly unknown[]): void {
  for (let i = 0; i < values.length; i += 8) {
    let bits = 0;
    for (let bit = 0; bit < 8; bit++) if (values[i + bit] === null) bits |= 1 << bit;
    writer.byte(bits);
  }
}

/** Where a value is null something of the type stands in, so that places stay simple. */
function writeValues(field: Field, values: readonly unknown[]): void {
  switch (field.type) {
    case 'hash': {
      writeHashes(
        field,
        (values.includes(null) ? values.map((value) => value ?? NO_HASH) : values) as Hash128[],
      );
      return;
    }
    case 'string': {
      writeStrings(values.map((value) => encodeText(field, value ?? '')));
      return;
    }
    case 'json': {
      writeStrings(values.map((value) => encodeJson(field, value)));
      return;
    }
    case 'int64':
    case 'timestamp': {
      writeIntegers(values.map((value) => encodeInteger(field, value ?? 0)));
      return;
    }
    case 'bool': {
      writeIntegers(values.map((value) => encodeBool(field, value ?? false)));
      return;
    }
    case 'bytes':
      for (const value of values) writeBytes(field, value ?? new Uint8Array());
  }
}

function writeHashes(field: Field, hashes: readonly Hash128[]): void {
  for (const hash of hashes)
    if (typeof hash !== 'string' || hash.length !== HASH128_BYTES) refuse(field, 'not a hash of 16 bytes');
  const all = hashes.join('');
  // A character above 255 would lose its upper bits without a sign of it, and the hash would be another one.
  if (/[^\0-\xff]/.test(all)) refuse(field, 'not a hash: a character above 255');
  writer.latin1(all);
}

const encodeBool = (field: Field, value: unknown): number =>
  typeof value === 'boolean' ? Number(value) : refuse(field, `not a boolean: ${typeof value}`);

function writeBytes(field: Field, value: unknown): void {
  if (!(value instanceof Uint8Array)) return refuse(field, `not bytes: ${typeof value}`);
  writer.varint(value.length);
  writer.bytes(value);
}

/** Each different string once, in one piece of UTF-8, and then a byte a row where there is more than one. */
function writeStrings(values: readonly string[]): void {
  const places = new Map<string, number>();
  const of = new Uint8Array(values.length);
  let previous: string | undefined;
  let place = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as string;
    if (value !== previous) {
      place = places.get(value) ?? places.size;
      if (place === places.size) places.set(value, place);
      previous = value;
    }
    of[i] = place;
  }
  writer.varint(places.size);
  for (const value of places.keys()) writer.varint(value.length);
  writer.utf8([...places.keys()].join(''));
  if (places.size > 1) writer.bytes(of);
}

/** Each as its distance from the least, in as many bytes as the greatest distance takes: any one can be read without the others. */
function writeIntegers(values: readonly number[]): void {
  let least = Infinity;
  let greatest = -Infinity;
  // By index here and below: an iterator makes an object for each value.
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (least === greatest || values.length === 0) {
    writer.byte(CONSTANT);
    writer.double(values[0] ?? 0);
  } else if (greatest - least > MAX_DISTANCE) {
    writer.byte(DOUBLES);
    for (const value of values) writer.double(value);
  } else {
    const width = widthOf(greatest - least);
    writer.byte(DISTANCES);
    writer.double(least);
    writer.byte(width);
    for (let i = 0; i < values.length; i++) writer.uint((values[i] as number) - least, width);
  }
}

function widthOf(distance: number): number {
  let width = 1;
  while (distance >= 2 ** (8 * width)) width++;
  return width;
}
