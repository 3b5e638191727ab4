import type { Instant } from '#domain/instant.ts';
import type { AckId } from '../topic.ts';
import { MAX_PUBLISH_MESSAGES } from '../limits.ts';
import { setOf } from './message-set.ts';
import type { MessageSet } from './message-set.ts';

/** Messages of one group that were delivered together. */
export interface Delivered {
  readonly publishTime: Instant;
  /** The number of the pull that delivered them: it tells a lease from the next lease of the same message. */
  readonly delivery: number;
  readonly messages: MessageSet;
}

/** An acknowledgement id is this prefix and the index of the message in its group. */
export const ackIdPrefix = (publishTime: Instant, delivery: number): string => `${publishTime}.${delivery}.`;

const PREFIX = /^(\d{1,16})\.(\d{1,16})\.$/;

/** What the ids stand for, a group and a delivery at a time, however they were shuffled. */
export function parseAckIds(ids: readonly AckId[]): Delivered[] {
  const byPrefix = new Map<string, number[]>();
  let prefix = '';
  let indexes: number[] = [];
  for (const id of ids) {
    if (prefix === '' || !id.startsWith(prefix)) {
      prefix = id.slice(0, id.lastIndexOf('.') + 1);
      indexes = byPrefix.get(prefix) ?? [];
      byPrefix.set(prefix, indexes);
    }
    indexes.push(parseIndex(id, prefix.length));
  }
  return Array.from(byPrefix, ([key, members]) => ({ ...parsePrefix(key), messages: setOf(members) }));
}

function parsePrefix(prefix: string): { publishTime: Instant; delivery: number } {
  const [, publishTime, delivery] = PREFIX.exec(prefix) ?? notAnAckId(prefix);
  return { publishTime: Number(publishTime), delivery: Number(delivery) };
}

/** Digit by digit, because this runs for every message that is acknowledged. */
function parseIndex(id: string, from: number): number {
  let index = 0;
  for (let i = from; i < id.length; i++) {
    const digit = id.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) notAnAckId(id);
    index = index * 10 + digit;
  }
  if (from === id.length || index >= MAX_PUBLISH_MESSAGES) notAnAckId(id);
  return index;
}

function notAnAckId(id: string): never {
  throw new RangeError(`not an acknowledgement id of this topic: ${id.slice(0, 64)}`);
}
