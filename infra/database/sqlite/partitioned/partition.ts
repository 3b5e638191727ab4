import {
  HEADER_BYTES,
  KEY_LENGTH_AT,
  NO_ROW,
  ROUND_AT,
  ROW_LENGTH_AT,
  entryBytes,
  paddedBytes,
} from './entry.ts';
import type { EntryBytes } from './entry.ts';

/** In the place of the round: a newer entry of the same key stands further on. */
const REPLACED = -1;

const FIRST_BYTES = 2_048;
const FIRST_SLOTS = 32;
/** Beyond this part of the slots, looking for a free one takes long. */
const SLOTS_LOAD_MAX = 0.6;
/** Up to so many bytes a loop beats a call. */
const LOOP_BYTES_MAX = 256;

/**
 * What memory knows of the rows of one partition: entries one after the other, found through a table of open addressing. Bytes and no
 * objects, so that the garbage collector has nothing to walk through or to move. Entries are appended and never changed but for their
 * headers, so that what was read may keep looking at their bytes.
 */
export interface Partition {
  entries: EntryBytes;
  used: number;
  /** Bytes of entries that were replaced. */
  wasted: number;
  /** Where an entry begins, in units of four bytes, plus one; 0 is free. */
  slots: Int32Array<ArrayBuffer>;
  count: number;
  /** Every row there is stands here: a key that does not is absent. */
  complete: boolean;
  /** The newest round of the log (`held.ts`) that an entry of it is of. */
  round: number;
}

export const createPartition = (complete: boolean): Partition => ({
  entries: roomFor(FIRST_BYTES),
  used: 0,
  wasted: 0,
  slots: new Int32Array(FIRST_SLOTS),
  count: 0,
  complete,
  round: 0,
});

const roomFor = (bytes: number): EntryBytes => entryBytes(new Uint8Array(bytes));

export const bytesOf = ({ entries, slots }: Partition): number => entries.bytes.length + slots.byteLength;

export const NOT_FOUND = -1;

/** The key [from, to) of `bytes`, with its hash. */
export interface HashedKey {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly from: number;
  readonly to: number;
  readonly hash: number;
}

/** The first byte of the entry of this key, or NOT_FOUND. */
export function findEntry(partition: Partition, key: HashedKey): number {
  const entry = (partition.slots[slotOf(partition, key)] as number) - 1;
  return entry < 0 ? NOT_FOUND : entry * 4;
}

/** The slot that the key is in, or the free one where it would be. */
function slotOf({ slots, entries }: Partition, { bytes, from, to, hash }: HashedKey): number {
  const { ints } = entries;
  const mask = slots.length - 1;
  const length = to - from;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const entry = (slots[slot] as number) - 1;
    if (entry < 0) return slot;
    if (ints[entry] !== hash || ints[entry + KEY_LENGTH_AT] !== length) continue;
    // Keys of one partition differ in their middle and end rather than their beginning.
    const keyAt = entry * 4 + HEADER_BYTES;
    let left = length;
    while (left > 0 && entries.bytes[keyAt + left - 1] === bytes[from + left - 1]) left--;
    if (left === 0) return slot;
  }
}

/** Appends an entry, which takes the place of an older one of its key. `round` is 0 for what the rows of the file say. */
export function putEntryInto(
  partition: Partition,
  key: HashedKey,
  row: Uint8Array | undefined,
  round: number,
): void {
  const keyLength = key.to - key.from;
  const rowLength = row === undefined ? NO_ROW : row.length;
  const start = makeRoom(partition, paddedBytes(keyLength, rowLength));
  const { bytes, ints } = partition.entries;
  const at = start >> 2;
  ints[at] = key.hash;
  ints[at + KEY_LENGTH_AT] = keyLength;
  ints[at + ROW_LENGTH_AT] = rowLength;
  bytes.set(key.bytes.subarray(key.from, key.to), start + HEADER_BYTES);
  if (row !== undefined) bytes.set(row, start + HEADER_BYTES + keyLength);
  enter(partition, key, start, round);
}

/** As `putEntryInto`, of a whole entry that begins at `from`. */
export function copyEntryInto(partition: Partition, source: EntryBytes, from: number, round: number): void {
  const entry = from >> 2;
  const keyLength = source.ints[entry + KEY_LENGTH_AT] as number;
  const size = paddedBytes(keyLength, source.ints[entry + ROW_LENGTH_AT] as number);
  const start = makeRoom(partition, size);
  const { ints } = partition.entries;
  const to = start >> 2;
  if (size > LOOP_BYTES_MAX) ints.set(source.ints.subarray(entry, entry + (size >> 2)), to);
  else for (let i = 0; i < size >> 2; i++) ints[to + i] = source.ints[entry + i] as number;
  const keyAt = start + HEADER_BYTES;
  const key = {
    bytes: partition.entries.bytes,
    from: keyAt,
    to: keyAt + keyLength,
    hash: ints[to] as number,
  };
  enter(partition, key, start, round);
}

function enter(partition: Partition, key: HashedKey, start: number, round: number): void {
  const { slots, entries } = partition;
  entries.ints[(start >> 2) + ROUND_AT] = round;
  if (round > partition.round) partition.round = round;
  const slot = slotOf(partition, key);
  const before = (slots[slot] as number) - 1;
  slots[slot] = (start >> 2) + 1;
  if (before >= 0) {
    partition.wasted += sizeAt(entries, before * 4);
    entries.ints[before + ROUND_AT] = REPLACED;
    return;
  }
  if (++partition.count > slots.length * SLOTS_LOAD_MAX) renew(partition, entries.bytes.length);
}

/** How far the next entry is. */
export function sizeAt({ ints }: EntryBytes, start: number): number {
  const entry = start >> 2;
  return paddedBytes(ints[entry + KEY_LENGTH_AT] as number, ints[entry + ROW_LENGTH_AT] as number);
}

function makeRoom(partition: Partition, size: number): number {
  const capacity = partition.entries.bytes.length;
  if (partition.used + size > capacity) {
    const live = partition.used - partition.wasted + size;
    renew(partition, live * 2 > capacity ? Math.max(capacity * 2, roundUp(live * 2)) : capacity);
  }
  const start = partition.used;
  partition.used += size;
  return start;
}

const roundUp = (bytes: number): number => (bytes + 3) & ~3;

/** Copies the entries that count to new memory; views of the old one stay as they are. */
function renew(partition: Partition, capacity: number): void {
  const { entries: old, slots: oldSlots } = partition;
  const entries = roomFor(capacity);
  let size = oldSlots.length;
  while (partition.count > size * (SLOTS_LOAD_MAX / 2)) size *= 2;
  const slots = new Int32Array(size);
  const mask = size - 1;
  let used = 0;
  let bytes = 0;
  for (let entry = 0; entry < partition.used; entry += bytes) {
    bytes = sizeAt(old, entry);
    if (old.ints[(entry >> 2) + ROUND_AT] === REPLACED) continue;
    entries.ints.set(old.ints.subarray(entry >> 2, (entry + bytes) >> 2), used >> 2);
    let slot = (entries.ints[used >> 2] as number) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = (used >> 2) + 1;
    used += bytes;
  }
  Object.assign(partition, { entries, slots, used, wasted: 0 });
}
