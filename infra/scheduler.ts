import type { Instant } from '#domain/instant.ts';

/** Time as the code that runs around the core may use it: injected, so that tests decide when it passes. */
export interface Scheduler {
  now(): Instant;
  /** Resolves after the time, or at once when the signal is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

const MICROS_PER_MILLISECOND = 1_000;

export const systemScheduler: Scheduler = {
  now: () => Date.now() * MICROS_PER_MILLISECOND,
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal?.addEventListener('abort', done, { once: true });
    }),
};
