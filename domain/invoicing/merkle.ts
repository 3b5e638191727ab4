import { hash } from 'node:crypto';
import { HASH128_BYTES } from '../metering/hash128.ts';

/**
 * Merkle trees as RFC 6962 (section 2.1) has them, with SHA-256: 00 stands before what a leaf's hash is of, and 01 before the hashes of two
 * halves, the left one of which is as large a full tree as there is. So nobody can pass a node off as a leaf, and any change, removal or
 * exchange of leaves is another root.
 */

/** SHA-256 as a string of 32 characters, each 0 to 255, like `Hash128`: outside the process it is always hex. */
export type Hash256 = string;

export const HASH256_BYTES = 32;

/** An event behind a line, as its leaf says it. */
export interface EventLeaf {
  /** 32 hex digits each. */
  readonly identity: string;
  readonly digest: string;
  /** What it contributes to the line, as canonical decimal text. */
  readonly value: string;
}

const LEAF = '\0';
const NODE = 1;

/** The hash of a leaf of any bytes, each a character from 0 to 255. */
export const leafHash = (bytes: string): Hash256 =>
  hash('sha256', Buffer.from(LEAF + bytes, 'latin1'), 'binary');

/** A sign, 20 digits, a point and 18 digits are the longest value that an event has. */
const VALUE_BYTES_MAX = 40;
const DIGEST_AT = 1 + HASH128_BYTES;
const VALUE_AT = DIGEST_AT + HASH128_BYTES;

const leafScratch = Buffer.alloc(VALUE_AT + VALUE_BYTES_MAX);
/** Views of the scratch by length, since making one costs as much as hashing it. */
const leafViews: (Buffer | undefined)[] = [];

/**
 * The hash of an event's leaf, whose bytes are the 16 of its identity, the 16 of its digest, and the value's ASCII: what comes first has a fixed
 * length, so no two events have one leaf. Throws `RangeError` where a part is not what it should be.
 */
export function eventLeafHash({ identity, digest, value }: EventLeaf): Hash256 {
  // Hex that is cut short or is none writes fewer bytes.
  const isWhole =
    leafScratch.write(identity, 1, HASH128_BYTES, 'hex') === HASH128_BYTES &&
    leafScratch.write(digest, DIGEST_AT, HASH128_BYTES, 'hex') === HASH128_BYTES;
  const length = leafScratch.write(value, VALUE_AT, 'latin1');
  if (!isWhole || length !== value.length)
    throw new RangeError(`not an event of a line: ${identity} ${digest} ${value}`);
  return hash('sha256', (leafViews[length] ??= leafScratch.subarray(0, VALUE_AT + length)), 'binary');
}

/** The hash of a tree without leaves. */
export const EMPTY_ROOT: Hash256 = hash('sha256', '', 'binary');

const scratch = Buffer.alloc(1 + 2 * HASH256_BYTES);
scratch[0] = NODE;

export function nodeHash(left: Hash256, right: Hash256): Hash256 {
  scratch.write(left, 1, 'latin1');
  scratch.write(right, 1 + HASH256_BYTES, 'latin1');
  return hash('sha256', scratch, 'binary');
}

/** A tree that grows leaf by leaf. It holds one hash for each power of two in its size, however many leaves it has. */
export interface MerkleTree {
  readonly size: number;
  /** Adds a leaf, given by `leafHash`, behind the others. */
  append(leaf: Hash256): void;
  /** The root of all leaves so far. */
  root(): Hash256;
}

export function createMerkleTree(): MerkleTree {
  // The roots of the full trees that the leaves so far are cut into, the largest first: one for each 1 in the size's binary form.
  const roots: Hash256[] = [];
  let size = 0;
  return {
    get size() {
      return size;
    },
    append(leaf) {
      let root = leaf;
      for (let count = size; count % 2 === 1; count = Math.floor(count / 2))
        root = nodeHash(roots.pop() ?? EMPTY_ROOT, root);
      roots.push(root);
      size++;
    },
    root: () => rootOf(roots),
  };
}

/** The smaller trees on the right are joined first. */
const rootOf = (roots: readonly Hash256[]): Hash256 =>
  roots.length === 0 ? EMPTY_ROOT : roots.reduceRight((right, left) => nodeHash(left, right));

/** Shows that a leaf is in a tree: what its hash is to be joined with, from the leaf up. */
export interface InclusionProof {
  /** From 0. */
  readonly index: number;
  /** Leaves of the whole tree. */
  readonly size: number;
  readonly path: readonly Hash256[];
}

/** A full tree, and the path to it from the leaf that is proved, if that is in it. */
interface Subtree {
  readonly root: Hash256;
  readonly path: Hash256[] | undefined;
}

/**
 * The proof that the leaf at `index` is in the tree of all these, in one pass and without ever holding them. Throws `RangeError` where there is no
 * such leaf.
 */
export function inclusionProof(leaves: Iterable<Hash256>, index: number): InclusionProof {
  const subtrees: Subtree[] = [];
  let size = 0;
  for (const leaf of leaves) {
    let subtree: Subtree = { root: leaf, path: size === index ? [] : undefined };
    for (let count = size; count % 2 === 1; count = Math.floor(count / 2))
      subtree = joined(subtrees.pop() ?? subtree, subtree);
    subtrees.push(subtree);
    size++;
  }
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new RangeError(`there is no leaf ${index} among ${size}`);
  const { path = [] } = subtrees.reduceRight((right, left) => joined(left, right));
  return { index, size, path };
}

function joined(left: Subtree, right: Subtree): Subtree {
  const root = nodeHash(left.root, right.root);
  if (left.path) return { root, path: [...left.path, right.root] };
  return { root, path: right.path && [...right.path, left.root] };
}

/** Whether the proof leads from the leaf's hash to the root (RFC 9162, section 2.1.3.2). */
export function provesInclusion(
  leaf: Hash256,
  { index, size, path }: InclusionProof,
  root: Hash256,
): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return false;
  let hashed = leaf;
  let place = index;
  let last = size - 1;
  for (const sibling of path) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      hashed = nodeHash(sibling, hashed);
      // A node without a sibling on its level stands on the next ones as it is.
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else hashed = nodeHash(hashed, sibling);
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && hashed === root;
}

const half = (count: number): number => Math.floor(count / 2);

export const hash256ToHex = (value: Hash256): string => Buffer.from(value, 'latin1').toString('hex');

/** The inverse of `hash256ToHex`; throws on anything but 64 hex digits. */
export function hash256FromHex(hex: string): Hash256 {
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new RangeError(`not 64 lower-case hex digits: ${hex.slice(0, 2 * HASH256_BYTES)}`);
  return Buffer.from(hex, 'hex').toString('latin1');
}
