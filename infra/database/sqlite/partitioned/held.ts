import { StoreFailure } from '#infra/database/errors.ts';
import type { Connection } from '#infra/database/sqlite/connection.ts';
import type { Field, StoredRow } from '#infra/database/field.ts';
import type { Key, KeyPart, Table } from '#infra/database/table.ts';
import type { PartitionedBounds } from './bounds.ts';
import { createByteSink } from './byte-sink.ts';
import type { ByteSink } from './byte-sink.ts';
import { partitionedTable } from './ddl.ts';
import type { PartitionedTable } from './ddl.ts';
import { HEADER_BYTES, KEY_LENGTH_AT, ROW_LENGTH_AT, entryBytes, paddedBytes } from './entry.ts';
import type { EntryBytes } from './entry.ts';
import { hashOf, putKey, putKeyPart, readKeyPart, successorOf } from './key-bytes.ts';
import { NOT_FOUND, bytesOf, copyEntryInto, createPartition, findEntry, putEntryInto } from './partition.ts';
import type { HashedKey, Partition } from './partition.ts';
import { readRow } from './row-bytes.ts';

/**
 * Everything one process holds of a partitioned table: rows it has seen, among them all that the log holds. It is behind the file or
 * level with it, never ahead.
 */
export interface Held {
  readonly of: PartitionedTable;
  readonly bounds: PartitionedBounds;
  /** In the order of use, the oldest first. */
  readonly partitions: Map<KeyPart, Partition>;
  /** The changes in the log that memory has: numbers [first, next), so many bytes. */
  first: number;
  next: number;
  logBytes: number;
  /** Times that rows have expired; memory of before is worth nothing then. */
  expiries: number;
  /** Rises when the log is folded: entries of the newest round are in the log, all others in the rows. */
  round: number;
  /** The partition used last, which is mostly the next one too. */
  latest: KeyPart | undefined;
  /** Where a key that is looked for is put into bytes. */
  readonly key: ByteSink;
  /** What is held for snapshots that are behind all this, by their connection. */
  readonly behind: WeakMap<Connection, Held>;
  /** What the commit under way writes to the log. */
  readonly changes: ByteSink;
}

const KEY_BYTES_AT_FIRST = 1_024;
const CHANGES_BYTES_AT_FIRST = 65_536;

export const holdNothing = (table: Table<object>, bounds: PartitionedBounds): Held => ({
  of: partitionedTable(table),
  bounds,
  partitions: new Map(),
  first: 0,
  next: 0,
  logBytes: 0,
  expiries: 0,
  round: 1,
  latest: undefined,
  key: createByteSink(KEY_BYTES_AT_FIRST),
  behind: new WeakMap(),
  changes: createByteSink(CHANGES_BYTES_AT_FIRST),
});

interface Extent {
  readonly first: number;
  readonly next: number;
  readonly expiries: number;
}

function extentOf({ of }: Held, connection: Connection): Extent {
  const extent = connection.statement(`SELECT first, next, expiries FROM ${of.extent}`).get([]);
  if (extent === undefined)
    throw new StoreFailure(`table ${of.name}: its extent is missing; restore it from a backup`);
  const [first, next, expiries] = extent as [number, number, number];
  return { first, next, expiries };
}

/**
 * What is held, level with the connection's state: what was committed since the last look, by whatever process, is taken in first. A
 * snapshot that was taken earlier does not see what is held, and gets memory of its own for as long as it is behind.
 */
export function levelWith(held: Held, connection: Connection): Held {
  const extent = extentOf(held, connection);
  if (extent.next < held.next || extent.first < held.first || extent.expiries < held.expiries) {
    const own = held.behind.get(connection) ?? holdNothing(held.of.table, held.bounds);
    held.behind.set(connection, own);
    catchUp(own, connection, extent);
    return own;
  }
  held.behind.delete(connection);
  catchUp(held, connection, extent);
  return held;
}

function catchUp(held: Held, connection: Connection, { first, next, expiries }: Extent): void {
  // What was folded before it was seen here is in the rows only, and rows that expired are nowhere: memory begins anew at the log.
  if (expiries !== held.expiries || first > held.next || next < held.next || first < held.first) {
    held.partitions.clear();
    held.latest = undefined;
    held.next = first;
    held.expiries = expiries;
    beginRound(held, first);
  } else if (first > held.first) beginRound(held, first);
  if (next > held.next) tail(held, connection, next);
}

/** Everything before `first` is in the rows now. */
export function beginRound(held: Held, first: number): void {
  held.first = first;
  held.round++;
  held.logBytes = 0;
}

function tail(held: Held, connection: Connection, next: number): void {
  const { of } = held;
  const sql = `SELECT sequence, changes FROM ${of.log} WHERE sequence >= ? ORDER BY sequence`;
  for (const [sequence, changes] of connection.iterate(sql, [held.next]) as Iterable<unknown> as Iterable<
    [number, Uint8Array<ArrayBuffer>]
  >) {
    if (sequence !== held.next) break;
    takeIn(held, connection, changes);
  }
  if (held.next !== next)
    throw new StoreFailure(`table ${of.name}: changes are missing in its log; restore it from a backup`);
}

/** Takes in the changes that the log has under the next number. */
export function takeIn(held: Held, connection: Connection, changes: Uint8Array<ArrayBuffer>): void {
  const source = entryBytes(changes);
  const { bytes, ints } = source;
  for (let at = 0; at < bytes.length;) {
    const keyLength = ints[(at >> 2) + KEY_LENGTH_AT] as number;
    const partition = partitionAt(held, connection, source, at + HEADER_BYTES);
    copyEntryInto(partition, source, at, held.round);
    at += paddedBytes(keyLength, ints[(at >> 2) + ROW_LENGTH_AT] as number);
  }
  held.next++;
  held.logBytes += bytes.length;
  makeRoom(held);
}

function partitionAt(held: Held, connection: Connection, { bytes }: EntryBytes, at: number): Partition {
  const name = readKeyPart({ bytes, at }, held.of.by);
  return partitionNamed(held, connection, name);
}

/** What memory has of a partition; one without rows in the file is known completely from the first look on. */
export function partitionNamed(held: Held, connection: Connection, name: KeyPart): Partition {
  const known = held.partitions.get(name);
  if (known !== undefined && held.latest === name) return known;
  const partition = known ?? createPartition(isEmpty(held, connection, name));
  held.partitions.delete(name);
  held.partitions.set(name, partition);
  held.latest = name;
  return partition;
}

function isEmpty({ of }: Held, connection: Connection, name: KeyPart): boolean {
  const from = partitionBytes(of, name);
  const any = connection.statement(`SELECT 1 FROM ${of.rows} WHERE key >= ? AND key < ? LIMIT 1`);
  return any.get([from, successorOf(from)]) === undefined;
}

/** What every key of the partition begins with. */
export function partitionBytes(of: PartitionedTable, name: KeyPart): Buffer {
  scratch.at = 0;
  putKeyPart(scratch, of.by, name);
  return Buffer.from(scratch.bytes.subarray(0, scratch.at));
}

/** Making memory for each costs more than filling it. */
const scratch = createByteSink(64);

/** Drops the partitions that were used longest ago, but none that the log has changes of. */
function makeRoom(held: Held): void {
  let bytes = 0;
  for (const partition of held.partitions.values()) bytes += bytesOf(partition);
  for (const [name, partition] of held.partitions) {
    if (bytes <= held.bounds.heldBytes) return;
    if (partition.round === held.round || name === held.latest) continue;
    held.partitions.delete(name);
    bytes -= bytesOf(partition);
  }
}

/** The rows of these keys; memory must be level with the connection's snapshot. */
export function readRows(
  held: Held,
  connection: Connection,
  keys: readonly Key[],
): (StoredRow | undefined)[] {
  const rows = keys.map((key) => find(held, connection, key));
  makeRoom(held);
  return rows;
}

export function find(held: Held, connection: Connection, key: Key): StoredRow | undefined {
  const { of } = held;
  const name = key[of.at];
  held.key.at = 0;
  putKey(held.key, of, key);
  const partition = partitionNamed(held, connection, name as KeyPart);
  if (partition.complete && partition.count === 0) return undefined;
  const hashed = hashedKey(held.key);
  let start = findEntry(partition, hashed);
  if (start === NOT_FOUND) {
    if (partition.complete) return undefined;
    start = load(held, connection, partition, hashed);
  }
  return rowAt(of, partition.entries, start, key);
}

const hashedKey = ({ bytes, at }: ByteSink): HashedKey => ({
  bytes,
  from: 0,
  to: at,
  hash: hashOf(bytes, 0, at),
});

/** Takes in what the rows of the file say of a key; returns its entry. */
function load({ of }: Held, connection: Connection, partition: Partition, key: HashedKey): number {
  const statement = connection.statement(`SELECT row FROM ${of.rows} WHERE key = ?`);
  const row = statement.get([key.bytes.subarray(key.from, key.to)])?.[0] as
    Uint8Array<ArrayBuffer> | undefined;
  putEntryInto(partition, key, row, 0);
  return findEntry(partition, key);
}

function rowAt(
  of: PartitionedTable,
  { bytes, ints }: EntryBytes,
  start: number,
  key: Key,
): StoredRow | undefined {
  const entry = start >> 2;
  const rowLength = ints[entry + ROW_LENGTH_AT] as number;
  if (rowLength < 0) return undefined;
  const from = start + HEADER_BYTES + (ints[entry + KEY_LENGTH_AT] as number);
  const row: Record<string, unknown> = {};
  for (let i = 0; i < of.key.length; i++) row[(of.key[i] as Field).name] = key[i];
  return readRow(of.rest, bytes, { from, to: from + rowLength }, row);
}
