import { MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import type { AckId } from '#infra/topic/topic.ts';

/** How long, and for how many messages, commits go on while the warehouse takes no rows. */
export const UNAPPENDED_MICROS_MAX = 10 * MICROS_PER_MINUTE;
export const UNAPPENDED_MESSAGES_MAX = 1_000_000;

/** Messages that are committed but not appended: they stay unacknowledged and come again. */
export interface Unappended {
  add(ids: readonly AckId[], now: Instant): void;
  /** Too long or too many: pulling stops until the warehouse takes rows again. */
  isBeyondBound(now: Instant): boolean;
  /** Forgets them and returns their ids: the warehouse takes rows again, so they can be delivered at once. */
  clear(): readonly AckId[];
}

export function createUnappended(): Unappended {
  let ids: AckId[] = [];
  let since: Instant | undefined;
  return {
    add: (more, now) => {
      since ??= now;
      for (const id of more) ids.push(id);
    },
    isBeyondBound: (now) =>
      since !== undefined && (ids.length >= UNAPPENDED_MESSAGES_MAX || now - since >= UNAPPENDED_MICROS_MAX),
    clear: () => {
      const cleared = ids;
      ids = [];
      since = undefined;
      return cleared;
    },
  };
}
