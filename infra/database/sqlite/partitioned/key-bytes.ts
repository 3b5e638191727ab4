import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import type { Key, KeyPart } from '#infra/database/table.ts';
import { encodeInteger, encodeText, refuse } from '#infra/database/sqlite/field.ts';
import type { Field } from '#infra/database/field.ts';
import { putByte, putUtf8, reserve } from './byte-sink.ts';
import type { ByteSink } from './byte-sink.ts';
import type { PartitionedTable } from './ddl.ts';

/**
 * Keys as bytes that sort as the keys do (`key-order.ts`), and of which none begins another of the same columns: a string is its UTF-8
 * with zero bytes marked and an end, a number its size and then its bytes from the highest on.
 */
const STRING_ZERO = 2;
const STRING_END = 1;
/** Of a number zero; above it the count of bytes is added, below it taken away. */
const NUMBER_ZERO = 0x80;
const NUMBER_BYTES_MAX = 8;

export function putKey(sink: ByteSink, of: PartitionedTable, key: Key): void {
  const { order } = of;
  for (let i = 0; i < order.length; i++) {
    const place = order[i] as number;
    putKeyPart(sink, of.key[place] as Field, key[place]);
  }
}

export function putKeyPart(sink: ByteSink, field: Field, part: KeyPart | undefined): void {
  switch (field.type) {
    case 'string':
      putString(sink, field, part);
      return;
    case 'int64':
    case 'timestamp':
      putNumber(sink, encodeInteger(field, part));
      return;
    case 'bool':
      putByte(sink, typeof part === 'boolean' ? Number(part) : refuse(field, 'not a boolean'));
      return;
    case 'hash':
      putHash(sink, field, part);
      return;
    case 'bytes':
    case 'json':
      refuse(field, 'cannot be a key');
  }
}

function putString(sink: ByteSink, field: Field, part: unknown): void {
  const text = typeof part === 'string' ? part : encodeText(field, part);
  const { length } = text;
  reserve(sink, length + 2);
  const { bytes } = sink;
  let at = sink.at;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 127) {
      putUnusualString(sink, encodeText(field, text));
      return;
    }
    bytes[at++] = code;
  }
  bytes[at] = 0;
  bytes[at + 1] = STRING_END;
  sink.at = at + 2;
}

function putUnusualString(sink: ByteSink, text: string): void {
  for (const [i, piece] of text.split('\0').entries()) {
    if (i > 0) {
      putByte(sink, 0);
      putByte(sink, STRING_ZERO);
    }
    putUtf8(sink, piece);
  }
  putByte(sink, 0);
  putByte(sink, STRING_END);
}

function putNumber(sink: ByteSink, value: number): void {
  reserve(sink, NUMBER_BYTES_MAX);
  const { bytes } = sink;
  const magnitude = Math.abs(value);
  let size = 0;
  for (let rest = magnitude; rest > 0; rest = Math.floor(rest / 256)) size++;
  bytes[sink.at] = value < 0 ? NUMBER_ZERO - size : NUMBER_ZERO + size;
  const flip = value < 0 ? 255 : 0;
  let rest = magnitude;
  for (let i = size; i > 0; i--) {
    bytes[sink.at + i] = (rest % 256) ^ flip;
    rest = Math.floor(rest / 256);
  }
  sink.at += size + 1;
}

/** Also used for the other columns of a row. */
export function putHash(sink: ByteSink, field: Field, value: unknown): void {
  if (typeof value !== 'string' || value.length !== HASH128_BYTES) refuse(field, 'not a hash of 16 bytes');
  reserve(sink, HASH128_BYTES);
  const { bytes } = sink;
  let all = 0;
  for (let i = 0; i < HASH128_BYTES; i++) {
    const code = value.charCodeAt(i);
    bytes[sink.at + i] = code;
    all |= code;
  }
  if (all > 0xff) refuse(field, 'not a hash: a character above 255');
  sink.at += HASH128_BYTES;
}

/** Where a key is being read. */
export interface KeyCursor {
  readonly bytes: Buffer;
  at: number;
}

/** The parts of a stored key in the order of the declaration. */
export function readKey(of: PartitionedTable, bytes: Buffer): KeyPart[] {
  const cursor: KeyCursor = { bytes, at: 0 };
  const key = new Array<KeyPart>(of.order.length);
  for (const place of of.order) key[place] = readKeyPart(cursor, of.key[place] as Field);
  return key;
}

export function readKeyPart(cursor: KeyCursor, field: Field): KeyPart {
  switch (field.type) {
    case 'string':
      return readString(cursor);
    case 'bool':
      return cursor.bytes[cursor.at++] === 1;
    case 'hash':
      return cursor.bytes.toString('latin1', cursor.at, (cursor.at += HASH128_BYTES));
    case 'int64':
    case 'timestamp':
      return readNumber(cursor);
    case 'bytes':
    case 'json':
      return refuse(field, 'cannot be a key');
  }
}

function readString(cursor: KeyCursor): string {
  const { bytes } = cursor;
  let text = '';
  for (;;) {
    const zero = bytes.indexOf(0, cursor.at);
    if (zero < 0) throw new RangeError('a stored key ends too early');
    text += bytes.toString('utf8', cursor.at, zero);
    cursor.at = zero + 2;
    if (bytes[zero + 1] === STRING_END) return text;
    text += '\0';
  }
}

function readNumber(cursor: KeyCursor): number {
  const { bytes } = cursor;
  const size = (bytes[cursor.at++] as number) - NUMBER_ZERO;
  const flip = size < 0 ? 255 : 0;
  let magnitude = 0;
  for (let left = Math.abs(size); left > 0; left--)
    magnitude = magnitude * 256 + ((bytes[cursor.at++] as number) ^ flip);
  return size < 0 ? -magnitude : magnitude;
}

/** The least bytes above everything that begins with these. There always are some, since no key begins with 255. */
export function successorOf(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (bytes[end - 1] === 255) end--;
  const successor = Buffer.from(bytes.subarray(0, end));
  successor[end - 1] = (successor[end - 1] as number) + 1;
  return successor;
}

/** Spreads keys over a table; FNV-1a and a last mix, since neighbouring keys differ in one character. */
export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
