import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { AckId, Message, Topic } from '#infra/topic/topic.ts';

/** A topic as one worker uses it, which remembers what the worker was given. */
export interface AnsweredTopic<Kind extends Topic = Topic> {
  readonly topic: Kind;
  /**
   * The least publish time of what the worker answers for now; undefined without any. It forgets what has been delivered again, which is
   * only sure after a time in which somebody had room: `steadySince` says since when there is some.
   */
  oldest(steadySince: Instant | undefined): Instant | undefined;
}

/** A message that was delivered and not acknowledged. */
interface Given {
  readonly publishTime: Instant;
  /** Its lease ends, or has ended, then. */
  leasedUntil: Instant;
}

export interface AnswerForOptions {
  readonly clock: () => Instant;
  readonly ackDeadlineSeconds: number;
  /** So long after the end of its lease a message is with somebody else. */
  readonly rememberMicros: number;
}

/**
 * Follows what a worker is given. It answers for a message until the message is acknowledged, which its commit has gone before, or until
 * it has surely been delivered again after its lease ended, whether it was given back or forgotten.
 */
export function answerFor<Kind extends Topic>(topic: Kind, options: AnswerForOptions): AnsweredTopic<Kind> {
  const { clock, ackDeadlineSeconds, rememberMicros } = options;
  const given = new Map<AckId, Given>();
  const leaseFor = (ids: readonly AckId[], seconds: number): void => {
    const leasedUntil = clock() + Math.ceil(seconds * MICROS_PER_SECOND);
    for (const id of ids) {
      const message = given.get(id);
      if (message !== undefined) message.leasedUntil = leasedUntil;
    }
  };
  const take = (messages: readonly Message[]): Message[] => {
    const leasedUntil = clock() + ackDeadlineSeconds * MICROS_PER_SECOND;
    for (const { ackId, publishTime } of messages) given.set(ackId, { publishTime, leasedUntil });
    return [...messages];
  };
  return {
    topic: {
      ...topic,
      pull: async (max: number) => take(await topic.pull(max)),
      ack: async (ids: readonly AckId[]) => {
        // What is to be acknowledged is committed and appended: even if this call fails, nobody has to wait for it.
        for (const id of ids) given.delete(id);
        await topic.ack(ids);
      },
      forget: (ids: readonly AckId[]) => {
        for (const id of ids) given.delete(id);
        topic.forget?.(ids);
      },
      release: async (ids: readonly AckId[]) => {
        // Until the answer the lease may still run; without one it does, to its end.
        await topic.release(ids);
        leaseFor(ids, 0);
      },
      extend: async (ids: readonly AckId[], seconds: number) => {
        leaseFor(ids, seconds);
        await topic.extend(ids, seconds);
      },
    },
    oldest: (steadySince = Infinity) => {
      const now = clock();
      let oldest: Instant | undefined;
      for (const [id, { publishTime, leasedUntil }] of given) {
        if (now - Math.max(leasedUntil, steadySince) > rememberMicros) given.delete(id);
        else if (oldest === undefined || publishTime < oldest) oldest = publishTime;
      }
      return oldest;
    },
  };
}
