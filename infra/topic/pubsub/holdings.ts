import type { Instant } from '#domain/instant.ts';
import type { AckId, Message } from '../topic.ts';

/** A delivery that is leased to this handle. */
export interface Held {
  readonly message: Message;
  readonly bytes: number;
  readonly receivedAt: Instant;
  leasedUntil: Instant;
}

/** Deliveries by their ids: those that wait to be pulled, in the order in which they came, and those that were pulled. */
export function createHoldings() {
  const waiting = new Map<AckId, Held>();
  const pulled = new Map<AckId, Held>();
  let bytes = 0;
  const find = (id: AckId): Held | undefined => pulled.get(id) ?? waiting.get(id);
  const remove = (id: AckId): Held | undefined => {
    const held = find(id);
    if (held === undefined) return undefined;
    if (!pulled.delete(id)) waiting.delete(id);
    bytes -= held.bytes;
    return held;
  };
  return {
    waiting: waiting as ReadonlyMap<AckId, Held>,
    pulled: pulled as ReadonlyMap<AckId, Held>,
    bytes: (): number => bytes,
    find,
    remove,
    add: (held: Held): void => {
      // A delivery that came twice under one id is one.
      remove(held.message.ackId);
      waiting.set(held.message.ackId, held);
      bytes += held.bytes;
    },
    /** The first of those that wait and whose lease has not ended. */
    take: (max: number, now: Instant): Message[] => {
      const taken: Message[] = [];
      for (const [id, held] of waiting) {
        if (taken.length === max) break;
        if (held.leasedUntil <= now) continue;
        waiting.delete(id);
        pulled.set(id, held);
        taken.push(held.message);
      }
      return taken;
    },
    clear: (): void => {
      waiting.clear();
      pulled.clear();
      bytes = 0;
    },
  };
}
