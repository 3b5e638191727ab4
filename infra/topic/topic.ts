import type { Instant } from '#domain/instant.ts';

export type MessageId = string;
export type AckId = string;
export type Attributes = Readonly<Record<string, string>>;

export interface OutgoingMessage {
  readonly data: Uint8Array;
  readonly attributes?: Attributes;
}

export interface Message {
  readonly id: MessageId;
  readonly data: Uint8Array;
  readonly attributes: Attributes;
  readonly publishTime: Instant;
  /** 1 on the first delivery. */
  readonly attempt: number;
  readonly ackId: AckId;
}

/** 'subscription': true of all messages, whoever holds them. 'worker': only of what this handle was given. */
export type UnacknowledgedScope = 'subscription' | 'worker';

/**
 * How far a topic is acknowledged. Everything published before both `at` and `oldest` is acknowledged: of the scope 'subscription' by
 * itself; of the scope 'worker' only what all handles of the subscription say together does so: the greatest of their `at`, but never more
 * than the least of their `oldest`, those of workers that died lately included.
 */
export interface Unacknowledged {
  /**
   * When the topic was looked at: everything published before it was seen. Of the scope 'worker': everything published before it was
   * delivered to this or another handle; 0 while this one cannot tell.
   */
  readonly at: Instant;
  /** The least publish time of a message not yet acknowledged; absent when there is none. It may be later than `at`. */
  readonly oldest?: Instant;
  /** 'subscription' where it is absent. */
  readonly scope?: UnacknowledgedScope;
}

/** A handle is one feed: a topic seen through one subscription. Delivery is at least once and in no promised order. */
export interface Topic {
  /**
   * Resolves once the messages are durable; their bytes must not change until then. What was rejected with `TopicUnavailable` may be
   * delivered nevertheless, as nobody can always tell a lost message from a lost answer: publish it again.
   */
  publish(messages: readonly OutgoingMessage[]): Promise<MessageId[]>;
  /** At most `max` messages, leased until the acknowledgement deadline; empty when there is nothing to deliver now. */
  pull(max: number): Promise<Message[]>;
  ack(ids: readonly AckId[]): Promise<void>;
  /** Gives messages back for delivery at once. */
  release(ids: readonly AckId[]): Promise<void>;
  extend(ids: readonly AckId[], seconds: number): Promise<void>;
  /** Messages that this handle was given and that another one has acknowledged: it need not hold them any more. Absent where it holds nothing. */
  forget?(ids: readonly AckId[]): void;
  /**
   * Messages published at or after `to`, acknowledged or not, are delivered again. Acknowledgements of earlier deliveries need not
   * count any more.
   */
  seek(to: Instant): Promise<void>;
  /** 'unknown' where the topic cannot tell: the watermark then does not move. */
  oldestUnacknowledged(): Promise<Unacknowledged | 'unknown'>;
  close(): Promise<void>;
}
