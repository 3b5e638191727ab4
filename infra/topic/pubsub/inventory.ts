import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import type { AckId, Message, MessageId } from '../topic.ts';
import { createDeliveryCounts } from './delivery-counts.ts';
import { createHoldings } from './holdings.ts';

/** A message as a stream brought it. `deliveryAttempt` is there where a dead-letter policy makes the server count. */
export interface ReceivedMessage extends Omit<Message, 'attempt'> {
  readonly deliveryAttempt?: number;
  /** What it takes in memory. */
  readonly bytes: number;
}

/** What a handle was given and has not acknowledged: first it waits to be pulled, then it is in the hands of whoever pulled it. */
export interface Inventory {
  add(received: ReceivedMessage, now: Instant): void;
  /** From those that wait the first ones, which are in the caller's hands from then on. */
  take(max: number, now: Instant): Message[];
  acknowledged(ids: readonly AckId[]): void;
  /** They are free for any handle. */
  givenBack(ids: readonly AckId[], now: Instant): void;
  extended(ids: readonly AckId[], until: Instant): void;
  /** Leases that are over: their messages come again, here or elsewhere. */
  expire(now: Instant): void;
  /** Those that wait and whose leases end before: their handle has to extend them, since nobody else can. */
  waitingUntil(before: Instant): AckId[];
  /** Those that came before and wait still. */
  waitingSince(before: Instant): AckId[];
  /** Everything that is outstanding. */
  all(): AckId[];
  /** After a seek: everything comes again. */
  clear(): void;
  readonly waiting: number;
  readonly outstanding: { readonly messages: number; readonly bytes: number };
  /** The least publish time of what was given to this handle and is, as far as it knows, not acknowledged by anybody. */
  oldest(now: Instant): Instant | undefined;
}

export interface InventoryOptions {
  readonly ackDeadlineMicros: number;
  /** How long after it was given back a message may stay away; 0 where nobody asks for `oldest`. */
  readonly redeliveryMs: number;
}

export function createInventory({ ackDeadlineMicros, redeliveryMs }: InventoryOptions): Inventory {
  const { waiting, pulled, take, remove, bytes, add, find, clear } = createHoldings();
  const gone = createGone(redeliveryMs);
  const deliveries = createDeliveryCounts();
  const leave = (id: AckId, now: Instant): void => {
    const held = remove(id);
    if (held !== undefined) gone.add(held.message, now);
  };

  return {
    add: ({ deliveryAttempt, bytes: size, ...message }, now) => {
      const counted = deliveries.delivered(message.id);
      gone.cameAgain(message.id);
      add({
        message: { ...message, attempt: deliveryAttempt ?? counted },
        bytes: size,
        receivedAt: now,
        leasedUntil: now + ackDeadlineMicros,
      });
    },
    take,
    acknowledged: (ids) => {
      for (const id of ids) {
        const held = remove(id);
        if (held !== undefined) deliveries.forget(held.message.id);
      }
    },
    givenBack: (ids, now) => ids.forEach((id) => leave(id, now)),
    extended: (ids, until) => {
      for (const id of ids) {
        const held = find(id);
        if (held !== undefined) held.leasedUntil = until;
      }
    },
    expire: (now) => {
      for (const holding of [waiting, pulled])
        for (const [id, { leasedUntil }] of holding) if (leasedUntil <= now) leave(id, now);
      gone.forget(now);
    },
    waitingUntil: (before) => [...waiting].flatMap(([id, held]) => (held.leasedUntil < before ? [id] : [])),
    waitingSince: (before) => [...waiting].flatMap(([id, held]) => (held.receivedAt < before ? [id] : [])),
    all: () => [...waiting.keys(), ...pulled.keys()],
    clear: () => {
      clear();
      gone.clear();
    },
    get waiting() {
      return waiting.size;
    },
    get outstanding() {
      return { messages: waiting.size + pulled.size, bytes: bytes() };
    },
    oldest: (now) => {
      let oldest = gone.oldest(now);
      for (const holding of [waiting, pulled])
        for (const { message } of holding.values()) oldest = Math.min(oldest, message.publishTime);
      return oldest === Infinity ? undefined : oldest;
    },
  };
}

/**
 * Messages that are unacknowledged and not here: given back, or not acknowledged in time. They count as this handle's until they come
 * again, or must be in the hands of another.
 */
function createGone(redeliveryMs: number) {
  const gone = new Map<MessageId, { readonly publishTime: Instant; readonly until: Instant }>();
  return {
    add: ({ id, publishTime }: Message, now: Instant): void => {
      if (redeliveryMs > 0) gone.set(id, { publishTime, until: now + redeliveryMs * MICROS_PER_MILLI });
    },
    cameAgain: (id: MessageId): void => void gone.delete(id),
    forget: (now: Instant): void => {
      for (const [id, { until }] of gone) if (until <= now) gone.delete(id);
    },
    clear: (): void => gone.clear(),
    /** Infinity when there is none. */
    oldest: (now: Instant): Instant => {
      let oldest = Infinity;
      for (const { publishTime, until } of gone.values())
        if (until > now) oldest = Math.min(oldest, publishTime);
      return oldest;
    },
  };
}
