import type { Instant } from '#domain/instant.ts';
import type { AckId } from '#infra/topic/topic.ts';

/** A message in other hands. */
export interface Held {
  readonly ackId: AckId;
  readonly reader: string;
  readonly bytes: number;
  readonly takenAt: Instant;
  leasedUntil: Instant;
}

/** Of what was let go so many are remembered: a late receipt still says of them that nobody need answer for them. */
const LET_GO_REMEMBERED_MAX = 100_000;

/** Messages by their ordinals. What was let go counts no more, and is remembered for a while. */
export function createHoldings() {
  const held = new Map<number, Held>();
  const gone = new Map<number, AckId>();
  let next = 0;
  let bytes = 0;

  const remember = (ordinal: number, ackId: AckId): void => {
    gone.set(ordinal, ackId);
    if (gone.size <= LET_GO_REMEMBERED_MAX) return;
    const [oldest] = gone.keys();
    if (oldest !== undefined) gone.delete(oldest);
  };
  const settleOne = (ordinal: number): AckId | undefined => {
    const message = held.get(ordinal);
    if (message !== undefined) bytes -= message.bytes;
    const ackId = message?.ackId ?? gone.get(ordinal);
    held.delete(ordinal);
    gone.delete(ordinal);
    return ackId;
  };
  return {
    /** Returns its ordinal. */
    add: (message: Held): number => {
      held.set(next, message);
      bytes += message.bytes;
      return next++;
    },
    /** Returns the acknowledgement ids of those that were known. */
    settle: (ordinals: readonly number[]): AckId[] => ordinals.flatMap((ordinal) => settleOne(ordinal) ?? []),
    letGo: (isOver: (message: Held) => boolean): void => {
      for (const [ordinal, message] of held) {
        if (!isOver(message)) continue;
        held.delete(ordinal);
        bytes -= message.bytes;
        remember(ordinal, message.ackId);
      }
    },
    endingBefore: (before: Instant): Held[] =>
      [...held.values()].filter(({ leasedUntil }) => leasedUntil < before),
    size: () => ({ messages: held.size, bytes }),
    /** Forgets everything and returns the acknowledgement ids of what was held. */
    clear: (): AckId[] => {
      const ids = [...held.values()].map(({ ackId }) => ackId);
      held.clear();
      gone.clear();
      bytes = 0;
      return ids;
    },
  };
}
