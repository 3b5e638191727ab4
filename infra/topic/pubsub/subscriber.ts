import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { TopicUnavailable } from '../errors.ts';
import type { AckId, Message, Unacknowledged } from '../topic.ts';
import { LEASE_CALL } from './connection.ts';
import { createDeliveredThrough, type DeliveredThrough } from './delivered-through.ts';
import { unavailable } from './failures.ts';
import { createInventory, type Inventory } from './inventory.ts';
import { createLeaseCalls } from './lease-calls.ts';
import { PULL_WAIT_MS } from './limits.ts';
import { createReception } from './reception.ts';
import { serverTimeOf } from './server-time.ts';
import type { SubscriberCalls } from './subscriber-calls.ts';
import type { TopicLog } from './topic-log.ts';
import { createWaitingLeases } from './waiting-leases.ts';

export interface Subscriber {
  pull(max: number): Promise<Message[]>;
  ack(ids: readonly AckId[]): Promise<void>;
  release(ids: readonly AckId[]): Promise<void>;
  extend(ids: readonly AckId[], seconds: number): Promise<void>;
  /** Another handle has acknowledged them: they take no room any more. */
  forget(ids: readonly AckId[]): void;
  seek(to: Instant): Promise<void>;
  /** What this handle can tell alone: of the scope 'worker'. */
  oldestHere(): Unacknowledged | 'unknown';
  /** How many messages it was given and has not acknowledged; undefined while nobody pulls it. */
  held(): { readonly messages: number; readonly oldest?: Instant } | undefined;
  close(): Promise<void>;
}

export interface SubscriberOptions {
  readonly client: SubscriberCalls;
  /** Its full name. */
  readonly subscription: string;
  readonly ackDeadlineSeconds: number;
  readonly outstandingMessagesMax: number;
  readonly outstandingBytesMax: number;
  /** How long after it was given back a message may stay away; 0 where nobody asks for `oldestHere`. */
  readonly redeliveryMs: number;
  readonly scheduler: Scheduler;
  readonly log: TopicLog;
}

/** Streams fill a bounded buffer, which `pull` empties. They are opened by the first pull, and again by the next after nobody pulled for long. */
export function createSubscriber(options: SubscriberOptions): Subscriber {
  const { client, subscription, scheduler, log } = options;
  const { now } = scheduler;
  const inventory = createInventory({
    ackDeadlineMicros: options.ackDeadlineSeconds * MICROS_PER_SECOND,
    redeliveryMs: options.redeliveryMs,
  });
  const delivered = createDeliveredThrough();
  const calls = createLeaseCalls(client, subscription, log);
  const leases = createWaitingLeases({ ...options, inventory, calls });
  const reception = createReception({ ...options, inventory, delivered, leases });
  let isClosed = false;
  const checkOpen = (what: string): void => {
    if (isClosed) throw new TopicUnavailable(`cannot ${what}: the topic is closed`);
  };
  const forget = (ids: readonly AckId[]): void => {
    inventory.acknowledged(ids);
    reception.madeRoom();
  };

  return {
    pull: async (max) => {
      checkOpen('pull');
      reception.pulled();
      if (inventory.waiting === 0) await reception.arrival(PULL_WAIT_MS);
      const messages = inventory.take(max, now());
      const failure = messages.length > 0 ? undefined : reception.takeFailure();
      if (failure !== undefined) throw unavailable('pull', failure);
      return messages;
    },
    ack: async (ids) => {
      checkOpen('acknowledge');
      await calls.acknowledge(ids);
      forget(ids);
    },
    forget,
    release: async (ids) => {
      checkOpen('release');
      await calls.setDeadline(ids, 0);
      inventory.givenBack(ids, now());
      reception.madeRoom();
    },
    extend: async (ids, seconds) => {
      checkOpen('extend');
      // Counted from before the call, so that a lease never seems longer than it is.
      const until = now() + seconds * MICROS_PER_SECOND;
      await calls.setDeadline(ids, seconds);
      inventory.extended(ids, until);
    },
    seek: async (to) => {
      checkOpen('seek');
      await client.seek({ subscription, time: serverTimeOf(to) }, LEASE_CALL).catch((error: unknown) => {
        throw unavailable('seek', error);
      });
      inventory.clear();
      delivered.backTo(to, now());
      reception.madeRoom();
    },
    ...createKnowledge({ inventory, delivered, now, isOpen: reception.isOpen }),
    close: async () => {
      isClosed = true;
      await reception.close();
    },
  };
}

interface Knowing {
  readonly inventory: Inventory;
  readonly delivered: DeliveredThrough;
  readonly now: () => Instant;
  readonly isOpen: () => boolean;
}

/** What a handle can tell that knows only of what it was given. */
function createKnowledge({
  inventory,
  delivered,
  now,
  isOpen,
}: Knowing): Pick<Subscriber, 'oldestHere' | 'held'> {
  return {
    oldestHere: () => {
      const at = delivered.through(now());
      const oldest = inventory.oldest(now());
      if (oldest !== undefined) return { at, oldest, scope: 'worker' };
      return at === 0 ? 'unknown' : { at, scope: 'worker' };
    },
    held: () => {
      if (!isOpen()) return undefined;
      const oldest = inventory.oldest(now());
      return { messages: inventory.outstanding.messages, ...(oldest === undefined ? {} : { oldest }) };
    },
  };
}
