import type { Key } from '#infra/database/table.ts';
import type { Instant } from '#domain/instant.ts';
import type { StoredRow } from '#infra/database/field.ts';
import { reserve } from './byte-sink.ts';
import type { ByteSink } from './byte-sink.ts';
import type { PartitionedTable } from './ddl.ts';
import { hashOf, putKey } from './key-bytes.ts';
import { putRow } from './row-bytes.ts';

/**
 * A row as it stands in the log and in memory: a header of four 32-bit numbers, the key, the row, and zeros up to a multiple of four.
 * The header is the hash of the key, the length of the key, the length of the row, and a place for memory's own use.
 */
export const HEADER_BYTES = 16;
export const KEY_LENGTH_AT = 1;
export const ROW_LENGTH_AT = 2;
export const ROUND_AT = 3;

/** As the length of a row: there is none under this key. */
export const NO_ROW = -1;

export const paddedBytes = (keyLength: number, rowLength: number): number =>
  (HEADER_BYTES + keyLength + (rowLength > 0 ? rowLength : 0) + 3) & ~3;

/** Bytes with a look at them as 32-bit numbers; they begin at a multiple of four. */
export interface EntryBytes {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly ints: Int32Array<ArrayBuffer>;
}

export function entryBytes(source: Uint8Array<ArrayBuffer>): EntryBytes {
  const { buffer, byteOffset, byteLength } = source.byteOffset % 4 === 0 ? source : new Uint8Array(source);
  return {
    bytes: Buffer.from(buffer, byteOffset, byteLength),
    ints: new Int32Array(buffer, byteOffset, byteLength >> 2),
  };
}

/** Appends an entry; `row` is undefined for a deletion. */
export function putEntry(
  sink: ByteSink,
  of: PartitionedTable,
  key: Key,
  { row, committedAt }: { readonly row: StoredRow | undefined; readonly committedAt: Instant },
): void {
  reserve(sink, HEADER_BYTES);
  const start = sink.at;
  const keyAt = start + HEADER_BYTES;
  sink.at = keyAt;
  putKey(sink, of, key);
  const rowAt = sink.at;
  if (row !== undefined) putRow(sink, of.rest, row, committedAt);
  const rowLength = row === undefined ? NO_ROW : sink.at - rowAt;
  const { bytes } = sink;
  bytes.writeInt32LE(hashOf(bytes, keyAt, rowAt), start);
  bytes.writeInt32LE(rowAt - keyAt, start + 4);
  bytes.writeInt32LE(rowLength, start + 8);
  bytes.writeInt32LE(0, start + 12);
  const end = start + paddedBytes(rowAt - keyAt, rowLength);
  reserve(sink, end - sink.at);
  while (sink.at < end) sink.bytes[sink.at++] = 0;
}
