import type { Hash128 } from '#domain/metering/hash128.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { byteLengthOf, grow, homeOf, makeSegment, put, rebuild, reserve } from './segment.ts';
import type { Segment } from './segment.ts';

/**
 * Where each identity's row stands, in 9 to 10 bytes. The first byte of an identity chooses the segment, the next four are its tag; what
 * these 40 bits cannot tell apart the caller's pages can, so the answer is exact, and one look in 20,000 reads a page for nothing with 50
 * million rows. The home slot grows with the tag: a segment is made larger by one walk through it, without reading a page. Segments grow one at
 * a time, so that growth needs little memory and no long pause.
 */
export interface IdentityIndex {
  /** The ordinal of the identity's row, -1 if it has none. `isThere` compares with the page, where the fingerprint agrees. */
  find(id: Hash128, isThere: (ordinal: number, id: Hash128) => boolean): number;
  /** Adds the identity of 16 bytes at `at`, which must not be in the index. */
  addBytes(ids: Uint8Array, at: number, ordinal: number): void;
  /** Rows below this ordinal are gone: their slots count as free. */
  dropBelow(ordinal: number): void;
  /** Room for so many more, so that a rebuild does not grow step by step. */
  reserve(count: number): void;
  readonly byteLength: number;
}

const SEGMENTS = 256;
/** Segments of random identities differ by little. */
const RESERVE_MARGIN = 1.02;
const ABSENT = -1;
/** A slot holds the ordinal from the base on, plus one, as zero is an empty slot. */
const MAX_RELATIVE = 2 ** 32 - 1;
export const MAX_LIVE_ROWS = MAX_RELATIVE - 1;

const tagOf = (id: Hash128): number =>
  ((id.charCodeAt(1) << 24) | (id.charCodeAt(2) << 16) | (id.charCodeAt(3) << 8) | id.charCodeAt(4)) >>> 0;

export function createIdentityIndex(maxRelative = MAX_RELATIVE): IdentityIndex {
  const segments = Array.from({ length: SEGMENTS }, () => makeSegment());
  let base = 0;
  /** Relative ordinals below this are dropped; 1 at least, so that empty slots are below it too. */
  let live = 1;

  /** Ordinals rise for ever and slots have 32 bits: from time to time the base moves up to the first live row. */
  const rebase = (ordinal: number): void => {
    const shift = live - 1;
    if (ordinal - base - shift + 1 > maxRelative) throw new StoreFailure('too many live rows for the index');
    for (const segment of segments) rebuild(segment, segment.capacity, { live, shift });
    live = 1;
    base += shift;
  };

  const add = (first: number, tag: number, ordinal: number): void => {
    if (ordinal - base + 1 > maxRelative) rebase(ordinal);
    const segment = segments[first] as Segment;
    if (put(segment, tag, ordinal - base + 1, live)) return;
    grow(segment, live);
    put(segment, tag, ordinal - base + 1, live);
  };

  return {
    find: (id, isThere) => {
      const segment = segments[id.charCodeAt(0)];
      if (segment === undefined) return ABSENT;
      const { slots, capacity } = segment;
      const tag = tagOf(id);
      for (let at = 2 * homeOf(tag, capacity); ; at += 2) {
        const relative = slots[at + 1] as number;
        if (relative === 0) return ABSENT;
        const other = slots[at] as number;
        if (other > tag) return ABSENT;
        if (other === tag && relative >= live) {
          const ordinal = base + relative - 1;
          if (isThere(ordinal, id)) return ordinal;
        }
      }
    },
    addBytes: (ids, at, ordinal) => {
      const byte = (i: number): number => ids[at + i] as number;
      const tag = ((byte(1) << 24) | (byte(2) << 16) | (byte(3) << 8) | byte(4)) >>> 0;
      add(byte(0), tag, ordinal);
    },
    dropBelow: (ordinal) => {
      live = Math.max(live, ordinal - base + 1);
    },
    reserve: (count) => {
      const more = Math.ceil((count / SEGMENTS) * RESERVE_MARGIN);
      for (const segment of segments) reserve(segment, more, live);
    },
    get byteLength() {
      return segments.reduce((sum, segment) => sum + byteLengthOf(segment), 0);
    },
  };
}
