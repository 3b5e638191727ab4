import { MICROS_PER_MILLI, MICROS_PER_SECOND } from '#domain/instant.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { AckId } from '../topic.ts';
import type { Inventory } from './inventory.ts';
import type { LeaseCalls } from './lease-calls.ts';
import { WAITING_MS_MAX } from './limits.ts';
import type { TopicLog } from './topic-log.ts';

/** The leases of messages that wait to be pulled: nobody else can keep them. Those of pulled ones are for whoever pulled them. */
export interface WaitingLeases {
  /** To be called `LOOKS_PER_DEADLINE` times in a deadline. Never rejects. */
  keep(): Promise<void>;
  /** Never rejects: what cannot be given back comes again at its deadline. */
  giveBack(ids: readonly AckId[]): Promise<void>;
}

export interface WaitingLeasesOptions {
  readonly inventory: Inventory;
  readonly calls: LeaseCalls;
  readonly ackDeadlineSeconds: number;
  readonly scheduler: Scheduler;
  readonly log: TopicLog;
}

/** A lease is extended when a third of it is over, and looked at twice as often: so whoever pulls a message has half of it at least. */
const EXTEND_AFTER = 1 / 3;
export const LOOKS_PER_DEADLINE = 6;

export function createWaitingLeases(options: WaitingLeasesOptions): WaitingLeases {
  const { inventory, calls, ackDeadlineSeconds, scheduler, log } = options;
  const deadlineMicros = ackDeadlineSeconds * MICROS_PER_SECOND;

  const giveBack = async (ids: readonly AckId[]): Promise<void> => {
    try {
      await calls.setDeadline(ids, 0);
    } catch (error) {
      log.warn({ err: error, messages: ids.length }, 'messages could not be given back; they come later');
    }
    inventory.givenBack(ids, scheduler.now());
  };
  const extend = async (ids: readonly AckId[]): Promise<void> => {
    const until = scheduler.now() + deadlineMicros;
    try {
      await calls.setDeadline(ids, ackDeadlineSeconds);
      inventory.extended(ids, until);
    } catch (error) {
      log.warn({ err: error, messages: ids.length }, 'leases could not be extended; trying again');
    }
  };
  return {
    keep: async () => {
      const now = scheduler.now();
      inventory.expire(now);
      await giveBack(inventory.waitingSince(now - WAITING_MS_MAX * MICROS_PER_MILLI));
      await extend(inventory.waitingUntil(now + deadlineMicros * (1 - EXTEND_AFTER)));
    },
    giveBack,
  };
}
