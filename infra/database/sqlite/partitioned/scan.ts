import type { ScanOptions } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { compareKeys, compareParts } from '#infra/database/key-order.ts';
import type { Connection } from '#infra/database/sqlite/connection.ts';
import { encodeValue } from '#infra/database/sqlite/field.ts';
import type { Field, StoredRow } from '#infra/database/field.ts';
import { rangeFields } from '#infra/database/sqlite/scan-statement.ts';
import type { Key, KeyPart, KeyRange } from '#infra/database/table.ts';
import { createByteSink } from './byte-sink.ts';
import { changedRowsIn, foundOf } from './changed-rows.ts';
import type { ByteRange, ChangedRows, Found } from './changed-rows.ts';
import type { Held } from './held.ts';
import { levelWith, partitionBytes } from './held.ts';
import { putKeyPart, readKey, readKeyPart, successorOf } from './key-bytes.ts';
import { readRow } from './row-bytes.ts';

type ScanBy = Omit<ScanOptions, 'at'>;

/** One scan under way. */
interface Scan {
  readonly held: Held;
  readonly connection: Connection;
  readonly range: KeyRange;
  readonly reverse: boolean;
  /** What the log holds of each partition, as it was when the scan began. */
  readonly changed: ReadonlyMap<KeyPart, ChangedRows>;
}

/** Rows in the order of the key, or by partition and then by key where partitions are asked for. */
export function* scanPartitioned(
  all: Held,
  connection: Connection,
  range: KeyRange,
  options: ScanBy,
): Generator<StoredRow, void> {
  const { of } = all;
  if (options.index !== undefined) throw new StoreFailure(`table ${of.name} has no index ${options.index}`);
  checkRange(all, range, options);
  const { prefix, to } = range;
  if (to === null || prefix.includes(null) || options.limit === 0) return;
  const held = levelWith(all, connection);
  const reverse = options.reverse === true;
  const bounds = boundsOf(held, range, options);
  const scan: Scan = { held, connection, range, reverse, changed: changesIn(held, range, bounds) };
  const partitions = partitionsOf(scan, bounds);
  // In the order of the key partitions follow each other where all columns before theirs are given.
  const oneByOne = options.partition !== undefined || prefix.length >= of.at;
  const rows = oneByOne ? inTurn(scan, partitions) : merged(scan, partitions);
  let left = options.limit ?? Infinity;
  for (const { row } of rows) {
    yield row;
    if (--left <= 0) return;
  }
}

function checkRange({ of }: Held, range: KeyRange, { partition }: ScanBy): void {
  const fields = rangeFields(of.table, range, of.table.key);
  for (const [i, part] of [...range.prefix, range.from, range.to].entries()) {
    const field = fields[Math.min(i, range.prefix.length)];
    if (field !== undefined && part !== undefined && part !== null) encodeValue(field, part);
  }
  if (partition !== undefined && range.prefix.length > of.at)
    throw new StoreFailure(
      `table ${of.name}: a scan by partition goes by a prefix of the key before ${of.by.name}`,
    );
}

/** The partitions [from, to) that the range can have rows in. */
interface Bounds {
  readonly from: KeyPart | undefined;
  readonly to: KeyPart | undefined;
  readonly only?: KeyPart;
}

function boundsOf({ of }: Held, { prefix, from, to }: KeyRange, { partition }: ScanBy): Bounds {
  if (partition !== undefined) return partition;
  if (of.at < prefix.length) return { from: undefined, to: undefined, only: prefix[of.at] as KeyPart };
  return of.at === prefix.length ? { from: from ?? undefined, to } : { from: undefined, to: undefined };
}

/** The partitions there are within the bounds, in the order of the scan: those of the file by one seek each. */
function* partitionsOf(
  { held, connection, reverse, changed }: Scan,
  bounds: Bounds,
): Generator<KeyPart, void> {
  if (bounds.only !== undefined) {
    yield bounds.only;
    return;
  }
  const { of } = held;
  let from = bounds.from === undefined ? EMPTY : partitionBytes(of, bounds.from);
  let to = bounds.to === undefined ? ABOVE_ALL : partitionBytes(of, bounds.to);
  const inLog = [...changed.keys()]
    .map((name) => partitionBytes(of, name))
    .filter((name) => name.compare(from) >= 0 && name.compare(to) < 0)
    .sort((a, b) => (reverse ? b.compare(a) : a.compare(b)));
  const next = connection.statement(
    `SELECT key FROM ${of.rows} WHERE key >= ? AND key < ? ORDER BY key ${reverse ? 'DESC' : 'ASC'} LIMIT 1`,
  );
  for (;;) {
    const stored = next.get([from, to])?.[0] as Uint8Array<ArrayBuffer> | undefined;
    const inRows = stored && partitionBytes(of, nameOf(held, asBuffer(stored)));
    const name = nearer(inRows, inLog[0], reverse);
    if (name === undefined) return;
    if (inLog[0]?.equals(name)) inLog.shift();
    yield nameOf(held, name);
    if (reverse) to = name;
    else from = successorOf(name);
  }
}

const EMPTY = Buffer.alloc(0);
const ABOVE_ALL = Buffer.from([255]);

function nearer(a: Buffer | undefined, b: Buffer | undefined, reverse: boolean): Buffer | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.compare(b) < 0 === reverse ? b : a;
}

const asBuffer = (bytes: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const nameOf = ({ of }: Held, bytes: Buffer): KeyPart => readKeyPart({ bytes, at: 0 }, of.by);

/** Making memory for each costs more than filling it. */
const scratch = createByteSink(256);

/** The bytes [from, to) that the range is inside one partition. */
function bytesIn({ of }: Held, { prefix, from, to }: KeyRange, name: KeyPart): ByteRange {
  const sink = scratch;
  sink.at = 0;
  putKeyPart(sink, of.by, name);
  for (const place of of.order.slice(1)) {
    if (place < prefix.length) putKeyPart(sink, of.key[place] as Field, prefix[place]);
  }
  const within = Buffer.from(sink.bytes.subarray(0, sink.at));
  const next = of.key[prefix.length];
  const bound = (part: KeyPart | undefined, open: Buffer): Buffer => {
    if (part === undefined || part === null || next === undefined || prefix.length === of.at) return open;
    sink.at = within.length;
    putKeyPart(sink, next, part);
    return Buffer.from(sink.bytes.subarray(0, sink.at));
  };
  return { from: bound(from, within), to: bound(to, successorOf(within)) };
}

/** What the log changes within the range, by partition. */
function changesIn(held: Held, range: KeyRange, bounds: Bounds): Map<KeyPart, ChangedRows> {
  const changed = new Map<KeyPart, ChangedRows>();
  for (const [name, partition] of held.partitions) {
    if (partition.round !== held.round || !isInBounds(bounds, name)) continue;
    const rows = changedRowsIn(partition, held.round, bytesIn(held, range, name));
    if (rows.starts.length > 0) changed.set(name, rows);
  }
  return changed;
}

/** By their values, whose order is that of their bytes: a scan looks at all partitions of the log, and most are not within. */
function isInBounds({ from, to, only }: Bounds, name: KeyPart): boolean {
  if (only !== undefined) return name === only;
  return (
    (from === undefined || compareParts(name, from) >= 0) && (to === undefined || compareParts(name, to) < 0)
  );
}

/** The rows of one partition, the log's before the file's. */
function* foundIn(scan: Scan, name: KeyPart): Generator<Found, void> {
  const { held, connection, range, reverse } = scan;
  const { from, to } = bytesIn(held, range, name);
  const sql = `SELECT key, row FROM ${held.of.rows} WHERE key >= ? AND key < ? ORDER BY key ${reverse ? 'DESC' : 'ASC'}`;
  const rows = scan.changed.get(name);
  const changes = rows === undefined ? NO_CHANGES : foundOf(rows, reverse);
  let change = changes.next();
  for (const stored of connection.iterate(sql, [from, to])) {
    const [key, row] = (stored as unknown as Uint8Array<ArrayBuffer>[]).map(asBuffer) as [
      Buffer<ArrayBuffer>,
      Buffer<ArrayBuffer>,
    ];
    let order = -1;
    for (; change.done !== true; change = changes.next()) {
      order = reverse ? key.compare(change.value.key) : change.value.key.compare(key);
      if (order > 0) break;
      yield change.value;
      if (order === 0) break;
    }
    if (order === 0) change = changes.next();
    else yield { key, row };
  }
  for (; change.done !== true; change = changes.next()) yield change.value;
}

function* noChanges(): Generator<Found, void> {}
const NO_CHANGES = noChanges();

interface KeyedRow {
  readonly key: Key;
  readonly row: StoredRow;
}

function* rowsIn(scan: Scan, name: KeyPart): Generator<KeyedRow, void> {
  const { of } = scan.held;
  for (const { key: bytes, row } of foundIn(scan, name)) {
    if (row === undefined) continue;
    const key = readKey(of, bytes);
    const columns: Record<string, unknown> = {};
    for (const [i, part] of key.entries()) columns[(of.key[i] as Field).name] = part;
    yield { key, row: readRow(of.rest, row, { from: 0, to: row.length }, columns) };
  }
}

function* inTurn(scan: Scan, partitions: Iterable<KeyPart>): Generator<KeyedRow, void> {
  for (const name of partitions) yield* rowsIn(scan, name);
}

interface Head {
  readonly rest: Generator<KeyedRow, void>;
  readonly first: KeyedRow;
}

/** All partitions side by side: the one whose next row is the least goes first. */
function* merged(scan: Scan, partitions: Iterable<KeyPart>): Generator<KeyedRow, void> {
  const heads: Head[] = [];
  const enter = (rest: Generator<KeyedRow, void>): void => {
    const next = rest.next();
    if (next.done !== true)
      heads.splice(placeOf(heads, next.value, scan.reverse), 0, { rest, first: next.value });
  };
  try {
    for (const name of partitions) enter(rowsIn(scan, name));
    for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
      yield head.first;
      enter(head.rest);
    }
  } finally {
    for (const { rest } of heads) rest.return();
  }
}

/** Heads are kept with the next row last, so that taking it moves none of them. */
function placeOf(heads: readonly Head[], { key }: KeyedRow, reverse: boolean): number {
  let low = 0;
  let high = heads.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareKeys((heads[middle] as Head).first.key, key);
    if (reverse ? order < 0 : order > 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
