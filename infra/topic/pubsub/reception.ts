import { MICROS_PER_MILLI } from '#domain/instant.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { DeliveredThrough } from './delivered-through.ts';
import type { Inventory } from './inventory.ts';
import { CLOSE_MS_MAX, PARK_AFTER_MS, PULL_STREAMS, STREAM_PING_MS } from './limits.ts';
import { openPullStream } from './pull-stream.ts';
import { keepPullStreams, type PullStreams } from './pull-streams.ts';
import { receivedMessage } from './received-message.ts';
import type { ServerMessage, SubscriberCalls } from './subscriber-calls.ts';
import type { TopicLog } from './topic-log.ts';
import { LOOKS_PER_DEADLINE, type WaitingLeases } from './waiting-leases.ts';

/** How messages come in: streams that are open while somebody pulls and there is room. */
export interface Reception {
  /** Somebody pulls: the streams are open from here on. */
  pulled(): void;
  /** Resolves when messages came, after that time at the latest. */
  arrival(milliseconds: number): Promise<void>;
  /** Some of what was outstanding is not any more. */
  madeRoom(): void;
  /** What keeps the streams from being open, told once. */
  takeFailure(): unknown;
  isOpen(): boolean;
  /** Ends the streams and gives back everything that is not acknowledged. */
  close(): Promise<void>;
}

export interface ReceptionOptions {
  readonly client: Pick<SubscriberCalls, 'streamingPull'>;
  readonly subscription: string;
  readonly ackDeadlineSeconds: number;
  readonly outstandingMessagesMax: number;
  readonly outstandingBytesMax: number;
  readonly inventory: Inventory;
  readonly delivered: DeliveredThrough;
  readonly leases: WaitingLeases;
  readonly scheduler: Scheduler;
  readonly log: TopicLog;
}

/** From a pull until nobody pulls any more. */
interface Session {
  readonly streams: PullStreams;
  readonly keeping: Promise<void>;
  readonly ended: AbortController;
}

export function createReception(options: ReceptionOptions): Reception {
  const { inventory, leases, scheduler } = options;
  const arrivals = createArrivals(scheduler);
  let session: Session | undefined;
  let lastPullAt = -Infinity;

  const room = createRoom(options);
  const receive = (messages: readonly ServerMessage[]): void => {
    const now = scheduler.now();
    for (const message of messages) {
      const received = receivedMessage(message);
      inventory.add(received, now);
      options.delivered.delivered(received.publishTime, now);
    }
    session?.streams.noteMessages();
    // A server keeps to the bound it was told; where it does not, its streams end until there is room.
    if (room.share() < 0) session?.streams.pause();
    room.changed();
    arrivals.wake();
  };
  const madeRoom = (): void => {
    if (session?.streams.isPaused && room.share() >= 1 / 2) session.streams.resume();
    room.changed();
  };
  const end = async ({ streams, ended }: Session): Promise<void> => {
    session = undefined;
    ended.abort();
    await streams.close();
  };
  /** While somebody pulls: keeps streams and leases. Then gives back what waits, and ends the session. */
  const keep = async (streams: PullStreams, signal: AbortSignal): Promise<void> => {
    const everyMs = (options.ackDeadlineSeconds * 1_000) / LOOKS_PER_DEADLINE;
    for (let sincePingMs = everyMs; ; sincePingMs += everyMs) {
      await scheduler.sleep(everyMs, signal);
      if (signal.aborted) return;
      if (session !== undefined && scheduler.now() - lastPullAt > PARK_AFTER_MS * MICROS_PER_MILLI) {
        await end(session);
        return leases.giveBack(inventory.waitingSince(Infinity));
      }
      await leases.keep();
      madeRoom();
      if (sincePingMs < STREAM_PING_MS) continue;
      streams.ping();
      sincePingMs = 0;
    }
  };
  const start = (): Session => {
    const ended = new AbortController();
    const open = (clientId: string) =>
      openPullStream(options.client, firstRequest(options, clientId), receive);
    const streams = keepPullStreams({ ...options, count: PULL_STREAMS, open, onOpen: room.opened });
    return { streams, ended, keeping: keep(streams, ended.signal) };
  };

  return {
    pulled: () => {
      lastPullAt = scheduler.now();
      session ??= start();
    },
    arrival: arrivals.next,
    madeRoom,
    takeFailure: () => session?.streams.takeFailure(),
    isOpen: () => session !== undefined,
    close: async () => {
      const last = session;
      if (last !== undefined) await end(last);
      await last?.keeping;
      const given = new AbortController();
      const giveBack = leases.giveBack(inventory.all()).then(() => given.abort());
      await Promise.race([giveBack, scheduler.sleep(CLOSE_MS_MAX, given.signal)]);
      arrivals.wake();
    },
  };
}

/** Lets those who wait for messages know that some came. */
function createArrivals({ sleep }: Scheduler) {
  const waiting = new Set<AbortController>();
  return {
    wake: (): void => waiting.forEach((waiter) => waiter.abort()),
    next: async (milliseconds: number): Promise<void> => {
      const waiter = new AbortController();
      waiting.add(waiter);
      await sleep(milliseconds, waiter.signal);
      waiting.delete(waiter);
    },
  };
}

/** How much more may be outstanding, and who has to know: while there is room and all streams are open, every message comes at once. */
function createRoom({
  inventory,
  delivered,
  scheduler,
  outstandingMessagesMax,
  outstandingBytesMax,
}: ReceptionOptions) {
  let areOpen = false;
  /** As a part of the bound; below 0 beyond it. */
  const share = (): number => {
    const { messages, bytes } = inventory.outstanding;
    return 1 - Math.max(messages / outstandingMessagesMax, bytes / outstandingBytesMax);
  };
  const changed = (): void => {
    if (areOpen && share() > 0) delivered.attentive(scheduler.now());
    else delivered.inattentive(scheduler.now());
  };
  const opened = (open: boolean): void => {
    areOpen = open;
    changed();
  };
  return { share, changed, opened };
}

/** Each stream has its part of the room. */
const firstRequest = (options: ReceptionOptions, clientId: string) => ({
  subscription: options.subscription,
  streamAckDeadlineSeconds: options.ackDeadlineSeconds,
  maxOutstandingMessages: Math.ceil(options.outstandingMessagesMax / PULL_STREAMS),
  maxOutstandingBytes: Math.ceil(options.outstandingBytesMax / PULL_STREAMS),
  clientId,
});
