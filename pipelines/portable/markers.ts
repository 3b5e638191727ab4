import { MICROS_PER_MILLI, MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';

/** Markers tell of slots of publish time: the watermark moves in steps of this. */
export const SLOT_MS = 5_000;
/** Java's read takes the least publish time of the last minute for its watermark, and waits for as long before it takes an idle feed for read. */
export const ESTIMATE_MS = 60_000;
/** Beyond the acknowledgement deadline, for what is on its way when it ends. */
const HOLD_MARGIN_SECONDS = 1;

/**
 * The end of the first slot of all. The watermark passes it as soon as it is anything, some seconds after a job begins: by a marker of it whoever
 * records knows of the begin.
 */
export const BEGIN_SLOT_END_MS = SLOT_MS;

/** The end of the slot of a publish time, both in ms since the epoch. */
export const slotEndOf = (publishMs: number): number => (Math.floor(publishMs / SLOT_MS) + 1) * SLOT_MS;

/** The slots that a commit has touched, by their ends, each with its earliest publish time; all in ms since the epoch. */
export function slotsOf(publishTimes: Iterable<Instant>): ReadonlyMap<number, number> {
  const slots = new Map<number, number>();
  for (const publishTime of publishTimes) {
    const publishMs = Math.floor(publishTime / MICROS_PER_MILLI);
    const end = slotEndOf(publishMs);
    slots.set(end, Math.min(slots.get(end) ?? Infinity, publishMs));
  }
  return slots;
}

/**
 * Until when nothing is recorded that begins at `at`. What the read before had in hand comes again only when its acknowledgement deadline has
 * passed; and the read that begins knows of no message before it has seen it, so that its estimate is worth as much as ever a minute after that.
 */
export const heldBackUntil = (at: Instant, ackDeadlineSeconds: number): Instant =>
  at + (ackDeadlineSeconds + HOLD_MARGIN_SECONDS) * MICROS_PER_SECOND + ESTIMATE_MS * MICROS_PER_MILLI;

/**
 * Heartbeats come so often where Java reads: each of its readers believes no estimate of fewer than ten messages a minute, and keeps its watermark where
 * it was.
 */
export const HEARTBEAT_MS = 1_000;

/** How long nothing may be recorded of a feed though all is well, from when a job begins: held back, behind by the estimate, and a slot that nothing touched. */
export const markersSilentMs = (ackDeadlineSeconds: number): number =>
  heldBackUntil(0, ackDeadlineSeconds) / MICROS_PER_MILLI + ESTIMATE_MS + HEARTBEAT_MS + SLOT_MS;

/**
 * Through what publish time everything is committed, when the watermark of the read has passed these slots; undefined when that says nothing. A slot
 * that closes sooner than the estimate ever lets it does so because a source was ended, not because it was read.
 */
export function recordableThrough(
  slotEndsMs: Iterable<number>,
  { now, heldBack }: { readonly now: Instant; readonly heldBack: Instant },
): Instant | undefined {
  if (now < heldBack) return undefined;
  let through: Instant | undefined;
  for (const end of slotEndsMs) {
    const at = end * MICROS_PER_MILLI;
    if (at + ESTIMATE_MS * MICROS_PER_MILLI <= now && at > (through ?? -Infinity)) through = at;
  }
  return through;
}
