/**
 * Which messages of one group: those of [first, past) whose bit is set, or all of them when there are no bits. Byte k of `bits` stands
 * for the eight messages from 8 * (floor(first / 8) + k) on, so that sets with different beginnings combine byte by byte.
 */
export interface MessageSet {
  readonly first: number;
  readonly past: number;
  readonly size: number;
  readonly bits: Uint8Array | undefined;
}

export const range = (first: number, past: number): MessageSet => ({
  first,
  past,
  size: past - first,
  bits: undefined,
});

export const EMPTY = range(0, 0);
const BYTE = 8;
const ONES_IN_BYTE = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte.toString(2).replaceAll('0', '').length,
);

/** The set of these indexes, in any order and with repetitions. */
export function setOf(indexes: readonly number[]): MessageSet {
  if (indexes.length === 0) return EMPTY;
  let least = Infinity;
  let greatest = 0;
  for (const index of indexes) {
    if (index < least) least = index;
    if (index > greatest) greatest = index;
  }
  const firstByte = least >> 3;
  const bits = new Uint8Array((greatest >> 3) - firstByte + 1);
  for (const index of indexes) {
    const at = (index >> 3) - firstByte;
    bits[at] = (bits[at] ?? 0) | (1 << (index & 7));
  }
  return fromBits(firstByte, bits);
}

/** The indexes of the set, rising. */
export function indexesOf(set: MessageSet): Uint32Array {
  const indexes = new Uint32Array(set.size);
  let found = 0;
  for (let index = set.first; index < set.past; index++) {
    if (set.bits === undefined || isMember(set, index)) indexes[found++] = index;
  }
  return indexes;
}

export const difference = (from: MessageSet, what: MessageSet): MessageSet => {
  if (what.past <= from.first || from.past <= what.first) return from;
  if (what.bits === undefined && what.first <= from.first && from.past <= what.past) return EMPTY;
  return combine(from, what, (ours, theirs) => ours & ~theirs);
};

export const intersection = (one: MessageSet, other: MessageSet): MessageSet => {
  if (other.bits === undefined && other.first <= one.first && one.past <= other.past) return one;
  return combine(one, other, (ours, theirs) => ours & theirs);
};

/** The first `count` messages of the set, and the others. */
export function split(set: MessageSet, count: number): [MessageSet, MessageSet] {
  if (set.size <= count) return [set, EMPTY];
  const cut = set.bits === undefined ? set.first + count : (indexesOf(set)[count] ?? set.past);
  return [intersection(set, range(set.first, cut)), intersection(set, range(cut, set.past))];
}

function combine(
  one: MessageSet,
  other: MessageSet,
  operation: (ours: number, theirs: number) => number,
): MessageSet {
  if (one.size === 0) return EMPTY;
  const firstByte = one.first >> 3;
  const bits = new Uint8Array(((one.past - 1) >> 3) - firstByte + 1);
  for (let at = 0; at < bits.length; at++) {
    bits[at] = operation(byteOf(one, firstByte + at), byteOf(other, firstByte + at));
  }
  return fromBits(firstByte, bits);
}

/** Eight members as a byte, of a set with or without bits. */
function byteOf(set: MessageSet, byte: number): number {
  const begin = byte * BYTE;
  if (begin + BYTE <= set.first || begin >= set.past) return 0;
  if (set.bits !== undefined) return set.bits[byte - (set.first >> 3)] ?? 0;
  const low = Math.max(set.first - begin, 0);
  const high = Math.min(set.past - begin, BYTE);
  return ((1 << high) - 1) & ~((1 << low) - 1);
}

const isMember = (set: MessageSet, index: number): boolean =>
  (byteOf(set, index >> 3) & (1 << (index & 7))) !== 0;

/** Cut to the outermost members, and without bits where nothing is missing between them: equal sets look equal. */
function fromBits(firstByte: number, bits: Uint8Array): MessageSet {
  const begin = bits.findIndex((byte) => byte !== 0);
  if (begin === -1) return EMPTY;
  const end = bits.findLastIndex((byte) => byte !== 0) + 1;
  const lowest = bits[begin] ?? 0;
  const highest = bits[end - 1] ?? 0;
  const first = (firstByte + begin) * BYTE + (31 - Math.clz32(lowest & -lowest));
  const past = (firstByte + end - 1) * BYTE + (32 - Math.clz32(highest));
  let size = 0;
  for (let at = begin; at < end; at++) size += ONES_IN_BYTE[bits[at] ?? 0] ?? 0;
  return { first, past, size, bits: size === past - first ? undefined : bits.slice(begin, end) };
}
