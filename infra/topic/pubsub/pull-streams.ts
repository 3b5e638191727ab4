import { randomUUID } from 'node:crypto';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { REOPEN_FIRST_MS, REOPEN_LONGEST_MS, SOUND_STREAM_MS, STREAM_END_MS_MAX } from './limits.ts';
import type { PullStream } from './pull-stream.ts';
import type { TopicLog } from './topic-log.ts';

export interface PullStreams {
  /** Ends the streams until `resume`: the handle has more than it may have. */
  pause(): void;
  resume(): void;
  readonly isPaused: boolean;
  /** To be called for every message, so that its stream counts as sound. */
  noteMessages(): void;
  ping(): void;
  /** The error that keeps the streams from being open, told once; undefined while they are. */
  takeFailure(): unknown;
  close(): Promise<void>;
}

export interface PullStreamsOptions {
  readonly count: number;
  readonly open: (clientId: string) => PullStream;
  readonly scheduler: Scheduler;
  readonly log: TopicLog;
  /** Told when all streams are open, and when one of them is not any more. */
  readonly onOpen: (areOpen: boolean) => void;
}

/** Waits between tries to open a stream, doubling. */
const reopenMs = (failures: number): number =>
  Math.min(REOPEN_FIRST_MS * 2 ** Math.min(failures - 1, 20), REOPEN_LONGEST_MS);

/** Keeps streams open side by side: one that breaks is opened again, after a pause where it did nothing. */
export function keepPullStreams(options: PullStreamsOptions): PullStreams {
  const { scheduler, log } = options;
  const closed = new AbortController();
  const open = new Set<PullStream>();
  const clientId = randomUUID();
  let pausing: PromiseWithResolvers<void> | undefined;
  let failure: unknown;
  let lastMessagesAt = -Infinity;

  /** One stream from its opening to its end. */
  const live = async (): Promise<{ readonly error?: unknown; readonly wasSound: boolean }> => {
    const openedAt = scheduler.now();
    const stream = tryOpen(() => options.open(clientId));
    if ('error' in stream) return { ...stream, wasSound: false };
    open.add(stream);
    if (open.size === options.count) options.onOpen(true);
    const { error } = await stream.ended;
    open.delete(stream);
    options.onOpen(false);
    const livedMs = (scheduler.now() - openedAt) / MICROS_PER_MILLI;
    return { error, wasSound: livedMs >= SOUND_STREAM_MS || lastMessagesAt >= openedAt };
  };
  const keep = async (): Promise<void> => {
    for (let failures = 0; !closed.signal.aborted;) {
      while (pausing !== undefined && !closed.signal.aborted) await pausing.promise;
      if (closed.signal.aborted) return;
      const { error, wasSound } = await live();
      if (closed.signal.aborted || pausing !== undefined) continue;
      failures = wasSound ? 0 : failures + 1;
      if (failures === 0) log.info({ err: error }, 'a stream of the topic ended; opening it again');
      else {
        failure = error ?? new Error('the server ended the stream');
        log.warn({ err: error, failures }, 'a stream of the topic broke; opening it again');
        await scheduler.sleep(reopenMs(failures), closed.signal);
      }
    }
  };
  const endAll = (): Promise<void> => endStreams([...open], scheduler);
  const keeping = Promise.all(Array.from({ length: options.count }, keep));

  return {
    pause: () => {
      if (pausing !== undefined) return;
      pausing = Promise.withResolvers();
      void endAll();
    },
    resume: () => {
      pausing?.resolve();
      pausing = undefined;
    },
    get isPaused() {
      return pausing !== undefined;
    },
    noteMessages: () => {
      lastMessagesAt = scheduler.now();
      failure = undefined;
    },
    ping: () => open.forEach((stream) => stream.ping()),
    takeFailure: () => {
      const told = failure;
      failure = undefined;
      return told;
    },
    close: async () => {
      closed.abort();
      pausing?.resolve();
      await endAll();
      await keeping;
    },
  };
}

/** A client that cannot even open a stream is one whose stream broke. */
function tryOpen(open: () => PullStream): PullStream | { readonly error: unknown } {
  try {
    return open();
  } catch (error) {
    return { error };
  }
}

/** What is on its way is still taken; a server that does not end a stream in time is cut off. */
async function endStreams(streams: readonly PullStream[], { sleep }: Scheduler): Promise<void> {
  for (const stream of streams) stream.end();
  const ended = new AbortController();
  await Promise.race([
    Promise.all(streams.map((stream) => stream.ended)),
    sleep(STREAM_END_MS_MAX, ended.signal),
  ]);
  ended.abort();
  for (const stream of streams) stream.cancel();
}
