import type { Instant } from '#domain/instant.ts';
import type { MessageSet } from './message-set.ts';
import type { TopicIndex } from './topic-index.ts';

/** When a lease ends that was given back: before every clock. */
export const ALREADY_ENDED: Instant = 0;
/** The delivery of messages that nobody holds: no pull has this number. */
export const NO_DELIVERY = 0;

/** Messages of one group that were handed out (or passed over) together and are not acknowledged. */
export interface Lease {
  readonly publishTime: Instant;
  readonly deadline: Instant;
  /** How often they were delivered. */
  readonly attempt: number;
  readonly delivery: number;
  readonly messages: MessageSet;
}
export interface StoredLease extends Lease {
  readonly id: number;
}

/** The leases of one subscription. */
export interface LeaseTable {
  /** Those that have ended, the longest ended first. */
  ended(now: Instant, limit: number): StoredLease[];
  ofGroup(publishTime: Instant): StoredLease[];
  insert(lease: Lease): void;
  /** Replaces the lease; one without messages is deleted. */
  update(id: number, lease: Lease): void;
  deleteFrom(publishTime: Instant): void;
  /** The least publish time. */
  oldest(): Instant | undefined;
  /** Bytes in proportion to the messages of the group. */
  totals(): { messages: number; bytes: number };
}

interface LeaseRow {
  id: number;
  publishTime: number;
  deadline: number;
  attempt: number;
  delivery: number;
  first: number;
  past: number;
  size: number;
  pending: Uint8Array | null;
}

const COLUMNS = 'id, publishTime, deadline, attempt, delivery, first, past, size, pending';

export function createLeaseTable({ database }: TopicIndex, subscription: number): LeaseTable {
  const ended = database.prepare(
    `SELECT ${COLUMNS} FROM lease WHERE subscription = ? AND deadline <= ? ORDER BY deadline LIMIT ?`,
  );
  const ofGroup = database.prepare(`SELECT ${COLUMNS} FROM lease WHERE subscription = ? AND publishTime = ?`);
  const insert = database.prepare(`
    INSERT INTO lease (publishTime, deadline, attempt, delivery, first, past, size, pending, subscription)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const update = database.prepare(`
    UPDATE lease SET publishTime = ?, deadline = ?, attempt = ?, delivery = ?, first = ?, past = ?, size = ?, pending = ?
    WHERE id = ?`);
  const deleteLease = database.prepare('DELETE FROM lease WHERE id = ?');
  const deleteFrom = database.prepare('DELETE FROM lease WHERE subscription = ? AND publishTime >= ?');
  const oldest = database.prepare('SELECT min(publishTime) AS oldest FROM lease WHERE subscription = ?');
  const totals = database.prepare(`
    SELECT coalesce(sum(size), 0) AS messages, coalesce(sum(size * length / count), 0) AS bytes
    FROM lease JOIN message_group USING (publishTime) WHERE subscription = ?`);
  const values = ({ publishTime, deadline, attempt, delivery, messages }: Lease) =>
    [
      publishTime,
      deadline,
      attempt,
      delivery,
      messages.first,
      messages.past,
      messages.size,
      messages.bits ?? null,
    ] as const;

  return {
    ended: (now, limit) => (ended.all(subscription, now, limit) as unknown as LeaseRow[]).map(toLease),
    ofGroup: (publishTime) => (ofGroup.all(subscription, publishTime) as unknown as LeaseRow[]).map(toLease),
    insert: (lease) => void insert.run(...values(lease), subscription),
    update: (id, lease) => {
      if (lease.messages.size === 0) deleteLease.run(id);
      else update.run(...values(lease), id);
    },
    deleteFrom: (publishTime) => void deleteFrom.run(subscription, publishTime),
    oldest: () => (oldest.get(subscription) as { oldest: Instant | null }).oldest ?? undefined,
    totals: () => totals.get(subscription) as { messages: number; bytes: number },
  };
}

const toLease = ({
  id,
  publishTime,
  deadline,
  attempt,
  delivery,
  first,
  past,
  size,
  pending,
}: LeaseRow): StoredLease => ({
  id,
  publishTime,
  deadline,
  attempt,
  delivery,
  messages: { first, past, size, bits: pending ?? undefined },
});
