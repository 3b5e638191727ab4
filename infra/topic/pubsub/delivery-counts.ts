import type { MessageId } from '../topic.ts';
import { COUNTED_DELIVERIES_MAX } from './limits.ts';

/** How often this handle was given a message: all that can be known where the server does not count. Bounded; the oldest are forgotten. */
export interface DeliveryCounts {
  /** One more; returns how many there were by now. */
  delivered(id: MessageId): number;
  forget(id: MessageId): void;
}

export function createDeliveryCounts(most = COUNTED_DELIVERIES_MAX): DeliveryCounts {
  const counts = new Map<MessageId, number>();
  return {
    delivered: (id) => {
      const count = (counts.get(id) ?? 0) + 1;
      // Taken out first, so that what was delivered last is forgotten last.
      counts.delete(id);
      counts.set(id, count);
      for (const oldest of counts.keys()) {
        if (counts.size <= most) break;
        counts.delete(oldest);
      }
      return count;
    },
    forget: (id) => void counts.delete(id),
  };
}
