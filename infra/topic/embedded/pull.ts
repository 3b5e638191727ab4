import type { Instant } from '#domain/instant.ts';
import { ALREADY_ENDED, NO_DELIVERY } from './lease-table.ts';
import type { Lease, LeaseTable, StoredLease } from './lease-table.ts';
import { range, split } from './message-set.ts';
import type { MessageSet } from './message-set.ts';
import type { Place } from './segment-file.ts';

/** Bounds of one pull: its transaction stops all other writers, and its messages are in memory together. */
const MAX_PULL_BYTES = 64 * 1024 * 1024;
export const MAX_PULL_LEASES = 1_024;

/** A group that is registered, and where its bytes are. */
export interface StoredGroup extends Place {
  readonly publishTime: Instant;
  readonly length: number;
  readonly count: number;
}

/** Messages of one group that a pull has leased. */
export interface Delivery {
  readonly group: StoredGroup;
  readonly messages: MessageSet;
  readonly attempt: number;
  readonly delivery: number;
}

export interface Pull {
  readonly deliveries: readonly Delivery[];
  isFull(): boolean;
  redeliver(lease: StoredLease, group: StoredGroup): void;
  deliver(group: StoredGroup): void;
}

export interface PullOptions {
  readonly max: number;
  readonly delivery: number;
  readonly deadline: Instant;
}

/** Fills up with messages to deliver, and writes their leases. What no longer fits of a group becomes a lease that has ended already. */
export function createPull(leases: LeaseTable, { max, delivery, deadline }: PullOptions): Pull {
  const deliveries: Delivery[] = [];
  let messages = 0;
  let bytes = 0;

  const take = (
    available: MessageSet,
    group: StoredGroup,
    attempt: number,
  ): [taken: Lease, rest: MessageSet] => {
    const [taken, rest] = split(available, max - messages);
    deliveries.push({ group, messages: taken, attempt, delivery });
    messages += taken.size;
    // A group is read as a whole, whatever part of it is delivered.
    bytes += group.length;
    return [{ publishTime: group.publishTime, deadline, attempt, delivery, messages: taken }, rest];
  };

  return {
    deliveries,
    isFull: () => messages >= max || bytes >= MAX_PULL_BYTES || deliveries.length >= MAX_PULL_LEASES,
    redeliver: (lease, group) => {
      const [taken, rest] = take(lease.messages, group, lease.attempt + 1);
      leases.update(lease.id, taken);
      if (rest.size > 0) leases.insert({ ...lease, messages: rest });
    },
    deliver: (group) => {
      const [taken, rest] = take(range(0, group.count), group, 1);
      leases.insert(taken);
      if (rest.size > 0) {
        leases.insert({
          ...taken,
          deadline: ALREADY_ENDED,
          attempt: 0,
          delivery: NO_DELIVERY,
          messages: rest,
        });
      }
    },
  };
}
