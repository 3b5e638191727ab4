const SLOTS_MIN = 16;
const LOAD_MAX = 0.9;
/** After growing a segment stands here: small steps keep the memory between 9 and 10 bytes an entry. */
const LOAD_GROWN = 0.84;
/** Behind the last home, for entries that find theirs taken. Where they are not enough, there are more. */
const SPARE_SLOTS = 32;
const TAG_RANGE = 2 ** 32;
/** Up to so many slots a loop beats a call. */
const LOOP_SLOTS_MAX = 24;

/**
 * A hash table over one typed array, eight bytes a slot: a tag, and beside it a number, so that a look costs one cache line. From a tag's home
 * on entries stand by rising tag, without a gap, so that a look for what is not there ends at the first greater tag: that keeps looks short
 * in a table that is nearly full. An entry's number is 1 at least; a number below the caller's `live` is one of a dropped entry, whose slot
 * is free, though its tag still keeps its place in the order.
 */
export interface Segment {
  /** The last slot is always empty, so that every look ends. */
  slots: Uint32Array<ArrayBuffer>;
  /** How many homes there are; slots are some more. */
  capacity: number;
  /** Slots that are not empty; those of dropped entries still count. */
  used: number;
}

export const makeSegment = (capacity = SLOTS_MIN, spare = SPARE_SLOTS): Segment => ({
  slots: new Uint32Array(2 * (capacity + spare)),
  capacity,
  used: 0,
});

/** It grows with the tag, so a table is made larger by one walk through it that writes in order. */
export const homeOf = (tag: number, capacity: number): number => Math.floor((tag * capacity) / TAG_RANGE);

export const byteLengthOf = ({ slots }: Segment): number => slots.byteLength;

/** Puts an entry behind those of lower or equal tags. False where there is no room; then nothing has changed, and the segment has to grow. */
export function put(segment: Segment, tag: number, number: number, live: number): boolean {
  const { slots, used, capacity } = segment;
  if (used + 1 > capacity * LOAD_MAX) return false;
  let at = 2 * homeOf(tag, capacity);
  while ((slots[at + 1] as number) !== 0 && (slots[at] as number) <= tag) at += 2;
  let free = at;
  while ((slots[free + 1] as number) >= live) free += 2;
  if (free + 2 >= slots.length) return false;
  if (slots[free + 1] === 0) segment.used++;
  moveUp(slots, at, free);
  slots[at] = tag;
  slots[at + 1] = number;
  return true;
}

/** Moves the slots [from, free) on by one. */
function moveUp(slots: Uint32Array<ArrayBuffer>, from: number, free: number): void {
  if (free - from > 2 * LOOP_SLOTS_MAX) slots.copyWithin(from + 2, from, free);
  else for (let i = free - 1; i >= from; i--) slots[i + 2] = slots[i] as number;
}

function liveIn({ slots }: Segment, live: number): number {
  let count = 0;
  for (let at = 1; at < slots.length; at += 2) if ((slots[at] as number) >= live) count++;
  return count;
}

interface Kept {
  /** Entries of lower numbers go. */
  readonly live: number;
  /** Taken off the numbers of the others. */
  readonly shift: number;
}

/** With room for one more at any place. */
export function rebuild(segment: Segment, capacity: number, kept: Kept): void {
  const { slots } = segment;
  let spare = SPARE_SLOTS;
  let made = makeSegment(capacity, spare);
  while (!copyInto(made, slots, kept)) made = makeSegment(capacity, (spare *= 2));
  Object.assign(segment, made);
  // Given back at once: left to the garbage collector it would be freed late, and in pieces too scattered to use again.
  slots.buffer.transfer(0);
}

/** False where there is not room enough behind the last home. */
function copyInto(to: Segment, from: Segment['slots'], { live, shift }: Kept): boolean {
  const { slots, capacity } = to;
  let next = 0;
  for (let i = 0; i < from.length; i += 2) {
    const number = from[i + 1] as number;
    if (number < live) continue;
    const tag = from[i] as number;
    const at = Math.max(next, 2 * homeOf(tag, capacity));
    next = at + 2;
    // Behind it are two more: for one entry to come, and the one that is always empty.
    if (next + 2 >= slots.length) return false;
    slots[at] = tag;
    slots[at + 1] = number - shift;
    to.used++;
  }
  return true;
}

/** Room for one more at least; a segment of many dropped entries may also shrink. */
export function grow(segment: Segment, live: number): void {
  const wanted = Math.ceil((liveIn(segment, live) + 1) / LOAD_GROWN);
  rebuild(segment, Math.max(SLOTS_MIN, wanted), { live, shift: 0 });
}

/** Room for `more` entries, so that many can come without growth in between. */
export function reserve(segment: Segment, more: number, live: number): void {
  const wanted = Math.ceil((liveIn(segment, live) + more) / LOAD_MAX) + 1;
  if (wanted > segment.capacity) rebuild(segment, wanted, { live, shift: 0 });
}
