import { MICROS_PER_SECOND } from '#domain/instant.ts';
import type { Instant } from '#domain/instant.ts';
import type { Unacknowledged } from '../topic.ts';
import type { Delivered } from './ack-id.ts';
import { ALREADY_ENDED, NO_DELIVERY, createLeaseTable } from './lease-table.ts';
import type { LeaseTable } from './lease-table.ts';
import { EMPTY, difference, intersection } from './message-set.ts';
import type { MessageSet } from './message-set.ts';
import { MAX_PULL_LEASES, createPull } from './pull.ts';
import type { Delivery, StoredGroup } from './pull.ts';
import type { TopicIndex } from './topic-index.ts';

/** What is published and not acknowledged. */
export interface Backlog {
  readonly messages: number;
  readonly bytes: number;
  readonly oldest?: Instant;
}

/** Who holds what of the log, for all processes that open the subscription. */
export interface Subscription {
  readonly lease: (max: number) => Promise<readonly Delivery[]>;
  readonly acknowledge: (delivered: readonly Delivered[]) => Promise<void>;
  readonly release: (delivered: readonly Delivered[]) => Promise<void>;
  readonly extend: (delivered: readonly Delivered[], seconds: number) => Promise<void>;
  readonly seek: (to: Instant) => Promise<void>;
  /** False once retention has deleted the group. */
  readonly isKept: (publishTime: Instant) => boolean;
  readonly oldestUnacknowledged: () => Promise<Unacknowledged>;
  readonly backlog: () => Promise<Backlog>;
}

export interface SubscriptionOptions {
  readonly index: TopicIndex;
  readonly name: string;
  readonly clock: () => Instant;
  readonly ackDeadlineSeconds: number;
}

export async function openSubscription({
  index,
  name,
  clock,
  ackDeadlineSeconds,
}: SubscriptionOptions): Promise<Subscription> {
  const { transact, transactDurably } = index;
  const id = await subscriptionId(index, name);
  const leases = createLeaseTable(index, id);
  const statements = prepareStatements(index);
  const hasWork = (): boolean => statements.hasWork.get(id, clock(), id)?.['work'] === 1;

  return {
    // Most polls of a quiet topic end here, without the lock that all writers share.
    lease: async (max) =>
      hasWork()
        ? transact(() => leaseMessages(statements, leases, { id, max, now: clock(), ackDeadlineSeconds }))
        : [],
    acknowledge: (delivered) =>
      transact(() => {
        const seekDelivery = Number(statements.seekDelivery.get(id)?.['seekDelivery']);
        for (const { publishTime, delivery, messages } of delivered) {
          // Of a delivery before a seek nothing counts any more: what the seek asked for is delivered again.
          if (delivery > seekDelivery) acknowledgeMessages(leases, publishTime, messages);
        }
      }),
    release: (delivered) =>
      transact(() => change(leases, delivered, { deadline: ALREADY_ENDED, delivery: NO_DELIVERY })),
    extend: (delivered, seconds) =>
      transact(() => change(leases, delivered, { deadline: clock() + micros(seconds) })),
    // Durable, because a replay that somebody ordered must not be forgotten; all else that can be lost here only means more deliveries.
    seek: (to) =>
      transactDurably(() => {
        leases.deleteFrom(to);
        statements.seek.run(to - 1, id);
      }),
    isKept: (publishTime) => statements.groupAt.get(publishTime) !== undefined,
    oldestUnacknowledged: () =>
      transact(() => {
        // A time given out is remembered: whatever is published later gets a later one, in every process and whatever its clock says.
        const at = Number(statements.advance.get(clock())?.['last']);
        return { at, ...oldestOf(statements, leases, id) };
      }),
    backlog: () => transact(() => countBacklog(statements, leases, id)),
  };
}

const micros = (seconds: number): number => Math.ceil(seconds * MICROS_PER_SECOND);

/** A new subscription begins with the oldest message kept, so that it does not matter whether producer or consumer starts first. */
function subscriptionId({ database, transact }: TopicIndex, name: string): Promise<number> {
  return transact(() => {
    database.prepare('INSERT INTO subscription (name) VALUES (?) ON CONFLICT (name) DO NOTHING').run(name);
    return Number(database.prepare('SELECT id FROM subscription WHERE name = ?').get(name)?.['id']);
  });
}

const GROUP_COLUMNS = 'publishTime, name AS segment, position, length, count';
const GROUPS = `SELECT ${GROUP_COLUMNS} FROM message_group JOIN segment ON segment.id = message_group.segment`;

type Statements = ReturnType<typeof prepareStatements>;
const prepareStatements = ({ database }: TopicIndex) => ({
  hasWork: database.prepare(`
    SELECT EXISTS (SELECT 1 FROM lease WHERE subscription = ? AND deadline <= ?)
      OR EXISTS (SELECT 1 FROM message_group WHERE publishTime > (SELECT cursor FROM subscription WHERE id = ?)) AS work`),
  nextDelivery: database.prepare(
    'UPDATE subscription SET delivery = delivery + 1 WHERE id = ? RETURNING delivery, cursor',
  ),
  moveCursor: database.prepare('UPDATE subscription SET cursor = ? WHERE id = ?'),
  seekDelivery: database.prepare('SELECT seekDelivery FROM subscription WHERE id = ?'),
  seek: database.prepare(
    'UPDATE subscription SET cursor = min(cursor, ?), seekDelivery = delivery WHERE id = ?',
  ),
  groupAt: database.prepare(`${GROUPS} WHERE publishTime = ?`),
  groupsAfter: database.prepare(`${GROUPS} WHERE publishTime > ? ORDER BY publishTime`),
  advance: database.prepare('UPDATE clock SET last = max(last, ?) RETURNING last'),
  firstUnread: database.prepare(`
    SELECT publishTime, messagesThrough - count AS messagesBefore, bytesThrough - length AS bytesBefore FROM message_group
    WHERE publishTime > (SELECT cursor FROM subscription WHERE id = ?) ORDER BY publishTime LIMIT 1`),
  totals: database.prepare('SELECT messages, bytes FROM clock'),
});

interface LeaseRequest {
  readonly id: number;
  readonly max: number;
  readonly now: Instant;
  readonly ackDeadlineSeconds: number;
}

function leaseMessages(
  statements: Statements,
  leases: LeaseTable,
  request: LeaseRequest,
): readonly Delivery[] {
  const { id, max, now, ackDeadlineSeconds } = request;
  const { delivery, cursor } = statements.nextDelivery.get(id) as { delivery: number; cursor: Instant };
  const pull = createPull(leases, { max, delivery, deadline: now + micros(ackDeadlineSeconds) });
  for (const ended of leases.ended(now, MAX_PULL_LEASES)) {
    if (pull.isFull()) return pull.deliveries;
    pull.redeliver(ended, statements.groupAt.get(ended.publishTime) as unknown as StoredGroup);
  }
  if (pull.isFull()) return pull.deliveries;
  let last = cursor;
  for (const group of statements.groupsAfter.iterate(cursor) as Iterable<unknown> as Iterable<StoredGroup>) {
    pull.deliver(group);
    last = group.publishTime;
    if (pull.isFull()) break;
  }
  statements.moveCursor.run(last, id);
  return pull.deliveries;
}

/** Whoever holds the messages now: they were processed, and that is what counts. */
function acknowledgeMessages(leases: LeaseTable, publishTime: Instant, messages: MessageSet): void {
  for (const lease of leases.ofGroup(publishTime)) {
    const rest = difference(lease.messages, messages);
    if (rest.size < lease.messages.size) leases.update(lease.id, { ...lease, messages: rest });
  }
}

/** Only what this very delivery still holds; a lease that ended and was taken over is its new holder's. */
function change(
  leases: LeaseTable,
  delivered: readonly Delivered[],
  changed: { readonly deadline: Instant; readonly delivery?: number },
): void {
  for (const { publishTime, delivery, messages } of delivered) {
    for (const lease of leases.ofGroup(publishTime)) {
      const named = lease.delivery === delivery ? intersection(lease.messages, messages) : EMPTY;
      if (named.size === 0) continue;
      const rest = difference(lease.messages, named);
      if (rest.size > 0) leases.insert({ ...lease, messages: rest });
      leases.update(lease.id, { ...lease, ...changed, messages: named });
    }
  }
}

interface FirstUnread {
  readonly publishTime: Instant;
  /** The totals of all groups before it. */
  readonly messagesBefore: number;
  readonly bytesBefore: number;
}
const firstUnread = (statements: Statements, id: number): FirstUnread | undefined =>
  statements.firstUnread.get(id) as unknown as FirstUnread | undefined;

function oldestOf(statements: Statements, leases: LeaseTable, id: number): { oldest?: Instant } {
  const leased = leases.oldest();
  const unread = firstUnread(statements, id)?.publishTime;
  const oldest = leased === undefined || unread === undefined ? (leased ?? unread) : Math.min(leased, unread);
  return oldest === undefined ? {} : { oldest };
}

function countBacklog(statements: Statements, leases: LeaseTable, id: number): Backlog {
  const leased = leases.totals();
  const first = firstUnread(statements, id);
  if (first === undefined) return { ...leased, ...oldestOf(statements, leases, id) };
  const all = statements.totals.get() as unknown as { messages: number; bytes: number };
  return {
    messages: leased.messages + all.messages - first.messagesBefore,
    bytes: leased.bytes + all.bytes - first.bytesBefore,
    ...oldestOf(statements, leases, id),
  };
}
