import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import type { Scheduler } from '#infra/scheduler.ts';

/** Works on operations of one kind in this process, between its answers. */
export interface BackgroundRunner {
  /** Takes up what is open in a namespace, or in all of them. Returns at once. */
  start(namespace?: string): void;
  /** What is in hand is left where it is: another process, or the next start, goes on. */
  stop(): Promise<void>;
}

/** An operation that is not done. */
export interface OpenOperation {
  readonly namespace: string;
  readonly id: string;
}

/** How a worker of this process works. */
export interface BackgroundWork {
  /** Names it among all that ever work on such operations. */
  readonly worker: string;
  readonly scheduler: Scheduler;
  readonly signal: AbortSignal;
  readonly breathe: () => Promise<void>;
}

interface RunnerOptions {
  /** For the log, such as `correction`. */
  readonly what: string;
  readonly readOpen: (namespace?: string) => Promise<readonly OpenOperation[]>;
  /** Resolves when nothing is left to do; what it throws is tried again. */
  readonly work: (open: OpenOperation, how: BackgroundWork) => Promise<void>;
  readonly scheduler: Scheduler;
  readonly log: Logger;
}

/** After a failure of the stores it is tried again, the later the oftener it failed. */
const RETRY_MS = [1_000, 5_000, 30_000] as const;

/** A quota check waits no longer than this for a step of an operation, as far as it is in steps. */
const TURN_MS = 2;

export function createBackgroundRunner({
  what,
  readOpen,
  work,
  scheduler,
  log,
}: RunnerOptions): BackgroundRunner {
  const ended = new AbortController();
  const { signal } = ended;
  const worker = `api-${uuidV7()}`;
  const working = new Map<string, Promise<void>>();

  const takeUp = async (namespace?: string): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        for (const open of await readOpen(namespace)) begin(open);
        return;
      } catch (error) {
        log.warn({ err: error }, `what is open could not be read: ${what}`);
        await scheduler.sleep(RETRY_MS[failures] ?? RETRY_MS[2], signal);
      }
    }
  };

  const begin = (open: OpenOperation): void => {
    if (working.has(open.id)) return;
    const done = untilDone(open).finally(() => working.delete(open.id));
    working.set(open.id, done);
  };

  const untilDone = async (open: OpenOperation): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await work(open, { worker, scheduler, signal, breathe: inTurns() });
        return;
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error, id: open.id }, `cut off, and goes on: ${what}`);
        await scheduler.sleep(RETRY_MS[failures] ?? RETRY_MS[2], signal);
      }
    }
  };

  const taken = new Set<Promise<void>>();
  return {
    start: (namespace) => {
      const taking = takeUp(namespace).finally(() => taken.delete(taking));
      taken.add(taking);
    },
    stop: async () => {
      ended.abort();
      await Promise.all([...taken, ...working.values()]);
    },
  };
}

/** Lets whatever waits in this process have its turn, once a turn is over. */
export function inTurns(): () => Promise<void> {
  let turnEnd = performance.now() + TURN_MS;
  return async () => {
    if (performance.now() < turnEnd) return;
    await setImmediate();
    turnEnd = performance.now() + TURN_MS;
  };
}
