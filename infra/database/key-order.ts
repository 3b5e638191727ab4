import type { Key, KeyPart, KeyRange } from './table.ts';

const SURROGATES_START = 0xd800;
const SURROGATES_END = 0xe000;

/** Moves surrogates above the rest of the units, where the characters they stand for belong. */
const codePointRank = (unit: number): number =>
  unit >= SURROGATES_START && unit < SURROGATES_END ? unit + 0x10000 : unit;

/** Stores order strings by their UTF-8 bytes, which is the order of code points and not of UTF-16 units. */
function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = codePointRank(a.charCodeAt(i)) - codePointRank(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Null comes first, then the natural order of the column's type. */
export function compareParts(a: KeyPart, b: KeyPart): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return typeof a === 'string' && typeof b === 'string' ? compareStrings(a, b) : Number(a) - Number(b);
}

/** Lexicographic; the beginning of a key comes before the key. */
export function compareKeys(a: Key, b: Key): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareParts(a[i] as KeyPart, b[i] as KeyPart);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Where a key lies: before (negative), in (0) or after (positive) the range. */
export function compareToRange(key: Key, { prefix, from, to }: KeyRange): number {
  for (let i = 0; i < prefix.length; i++) {
    const order = compareParts(key[i] as KeyPart, prefix[i] as KeyPart);
    if (order !== 0) return order;
  }
  const next = key[prefix.length];
  if (next === undefined) return 0;
  if (from !== undefined && compareParts(next, from) < 0) return -1;
  return to !== undefined && compareParts(next, to) >= 0 ? 1 : 0;
}
