import { HEADER_BYTES, KEY_LENGTH_AT, ROUND_AT, ROW_LENGTH_AT } from './entry.ts';
import type { EntryBytes } from './entry.ts';
import { sizeAt } from './partition.ts';
import type { Partition } from './partition.ts';

/** Keys [from, to) as bytes. */
export interface ByteRange {
  readonly from: Buffer;
  readonly to: Buffer;
}

/** Rows of one partition that the log has, by rising key: where they begin in entries that nothing changes any more. */
export interface ChangedRows {
  readonly entries: EntryBytes;
  readonly starts: readonly number[];
}

/** A key in bytes with its row; undefined where there is none. */
export interface Found {
  readonly key: Buffer<ArrayBuffer>;
  readonly row: Buffer<ArrayBuffer> | undefined;
}

/** An order of all changed rows of a partition, as of so many bytes of entries. */
interface Sorted extends ChangedRows {
  readonly used: number;
  readonly round: number;
}

const sorted = new WeakMap<Partition, Sorted>();
/** Of each partition, what it had when it was last gone through. */
const goneThrough = new WeakMap<Partition, number>();

/**
 * The rows of the newest round in the range. One look goes through all of them; more looks at a partition that stays as it is (the day
 * roller asks for series after series) share an order of them, and what was appended since is put into that order (a backfill looks for a
 * subject's rows and writes them, subject after subject).
 */
export function changedRowsIn(partition: Partition, round: number, range: ByteRange): ChangedRows {
  const { entries, used } = partition;
  const known = sorted.get(partition);
  const isContinued = known?.entries === entries && known.round === round;
  if (isContinued && known.used === used) return cut(known, range);
  const again = goneThrough.get(partition) === used;
  goneThrough.set(partition, used);
  if (!isContinued && !again)
    return { entries, starts: inOrder(entries, startsOf(partition, { round, range })) };
  const starts = isContinued ? continued(known, partition) : inOrder(entries, startsOf(partition, { round }));
  const all = { entries, used, round, starts };
  sorted.set(partition, all);
  return cut(all, range);
}

interface LookedFor {
  readonly round: number;
  readonly range?: ByteRange;
  /** Where to begin. */
  readonly from?: number;
}

function startsOf(partition: Partition, { round, range, from = 0 }: LookedFor): number[] {
  const { entries, used } = partition;
  const starts: number[] = [];
  for (let start = from; start < used; start += sizeAt(entries, start)) {
    if (!isOfRound(entries, start, round)) continue;
    if (range === undefined || isWithin(entries, start, range)) starts.push(start);
  }
  return starts;
}

/** One that was replaced is of no round. */
const isOfRound = ({ ints }: EntryBytes, start: number, round: number): boolean =>
  ints[(start >> 2) + ROUND_AT] === round;

/** The order of all, from that of the entries there were and those that were appended: these are few, and each is looked up. */
function continued({ entries, starts, used, round }: Sorted, partition: Partition): number[] {
  const all: number[] = [];
  let from = 0;
  const copyTo = (to: number): void => {
    for (; from < to; from++) {
      const start = starts[from] as number;
      if (isOfRound(entries, start, round)) all.push(start);
    }
  };
  for (const start of inOrder(entries, startsOf(partition, { round, from: used }))) {
    copyTo(placeOf(entries, starts, keyAt(entries, start)));
    all.push(start);
  }
  copyTo(starts.length);
  return all;
}

const isWithin = (entries: EntryBytes, start: number, { from, to }: ByteRange): boolean =>
  compareToBytes(entries, start, from) >= 0 && compareToBytes(entries, start, to) < 0;

const inOrder = (entries: EntryBytes, starts: number[]): number[] =>
  starts.sort((a, b) => compareEntries(entries, a, b));

function compareEntries({ bytes, ints }: EntryBytes, a: number, b: number): number {
  const aLength = ints[(a >> 2) + KEY_LENGTH_AT] as number;
  const bLength = ints[(b >> 2) + KEY_LENGTH_AT] as number;
  const length = Math.min(aLength, bLength) + HEADER_BYTES;
  for (let i = HEADER_BYTES; i < length; i++) {
    const difference = (bytes[a + i] as number) - (bytes[b + i] as number);
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

function compareToBytes({ bytes, ints }: EntryBytes, start: number, other: Buffer): number {
  const keyLength = ints[(start >> 2) + KEY_LENGTH_AT] as number;
  const length = Math.min(keyLength, other.length);
  for (let i = 0; i < length; i++) {
    const difference = (bytes[start + HEADER_BYTES + i] as number) - (other[i] as number);
    if (difference !== 0) return difference;
  }
  return keyLength - other.length;
}

function keyAt({ bytes, ints }: EntryBytes, start: number): Buffer<ArrayBuffer> {
  const from = start + HEADER_BYTES;
  return bytes.subarray(from, from + (ints[(start >> 2) + KEY_LENGTH_AT] as number));
}

function cut({ entries, starts }: Sorted, { from, to }: ByteRange): ChangedRows {
  return { entries, starts: starts.slice(placeOf(entries, starts, from), placeOf(entries, starts, to)) };
}

/** How many of the keys lie before these bytes. */
function placeOf(entries: EntryBytes, starts: readonly number[], bytes: Buffer): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareToBytes(entries, starts[middle] as number, bytes) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function* foundOf({ entries, starts }: ChangedRows, reverse: boolean): Generator<Found, void> {
  for (const start of reverse ? starts.toReversed() : starts) {
    const key = keyAt(entries, start);
    const length = entries.ints[(start >> 2) + ROW_LENGTH_AT] as number;
    const rowAt = start + HEADER_BYTES + key.length;
    yield { key, row: length < 0 ? undefined : entries.bytes.subarray(rowAt, rowAt + length) };
  }
}
