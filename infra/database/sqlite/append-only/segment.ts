const MIN_SLOTS = 16;
const SLOT_BYTES = 9;
const MAX_LOAD = 0.8;
/** After growing a segment stands here: small steps keep the memory between 11 and 13 bytes an entry. */
const GROWN_LOAD = 0.68;
const TAG_RANGE = 2 ** 32;

/**
 * A hash table with linear probing over typed arrays, nine bytes a slot. An entry's number is 1 at least; a number below the caller's
 * `live` is one of a dropped entry, whose slot is free.
 */
export interface Segment {
  /** Tag and number, side by side so that a look costs one cache line. */
  slots: Uint32Array<ArrayBuffer>;
  /** Eight more bits of each fingerprint. */
  beside: Uint8Array<ArrayBuffer>;
  capacity: number;
  /** Slots that are not empty; those of dropped entries still count. */
  used: number;
}

export const makeSegment = (capacity = MIN_SLOTS): Segment => ({
  slots: new Uint32Array(2 * capacity),
  beside: new Uint8Array(capacity),
  capacity,
  used: 0,
});

/** It grows with the tag, so a table is made larger by one walk through it that writes nearly in order. */
export const homeOf = (tag: number, capacity: number): number => Math.floor((tag * capacity) / TAG_RANGE);

export const byteLengthOf = ({ capacity }: Segment): number => SLOT_BYTES * capacity;

export const isFull = ({ used, capacity }: Segment): boolean => used + 1 > capacity * MAX_LOAD;

/** The first slot from the home on that is empty or holds a number below `live`. */
export function freeSlot({ slots, capacity }: Segment, tag: number, live: number): number {
  let slot = homeOf(tag, capacity);
  while ((slots[2 * slot + 1] as number) >= live) if (++slot === capacity) slot = 0;
  return slot;
}

export function liveIn({ slots, capacity }: Segment, live: number): number {
  let count = 0;
  for (let slot = 0; slot < capacity; slot++) if ((slots[2 * slot + 1] as number) >= live) count++;
  return count;
}

/** Dropped entries go; `shift` is taken off the numbers of the others. */
export function rebuild(
  segment: Segment,
  capacity: number,
  { live, shift }: { live: number; shift: number },
): void {
  const { slots, beside, capacity: before } = segment;
  Object.assign(segment, makeSegment(capacity));
  for (let from = 0; from < before; from++) {
    const number = slots[2 * from + 1] as number;
    if (number < live) continue;
    const tag = slots[2 * from] as number;
    const slot = freeSlot(segment, tag, 1);
    segment.slots[2 * slot] = tag;
    segment.slots[2 * slot + 1] = number - shift;
    segment.beside[slot] = beside[from] as number;
    segment.used++;
  }
  release(slots);
  release(beside);
}

/** Gives the memory back at once: left to the garbage collector it would be freed late, and in pieces too scattered to use again. */
function release(array: Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): void {
  array.buffer.transfer(0);
}

/** Room for one more at least; a segment of many dropped entries may also shrink. */
export function grow(segment: Segment, live: number): void {
  const wanted = Math.ceil((liveIn(segment, live) + 1) / GROWN_LOAD);
  rebuild(segment, Math.max(MIN_SLOTS, wanted), { live, shift: 0 });
}

/** Room for `more` entries, so that many can come without growth in between. */
export function reserve(segment: Segment, more: number, live: number): void {
  const wanted = Math.ceil((liveIn(segment, live) + more) / MAX_LOAD) + 1;
  if (wanted > segment.capacity) rebuild(segment, wanted, { live, shift: 0 });
}
