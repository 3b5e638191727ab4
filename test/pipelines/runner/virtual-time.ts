import type { Instant } from '#domain/instant.ts';
import type { Schedule } from '#infra/database/hostile/schedule.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';

const MICROS_PER_MILLISECOND = 1_000;

/** Time that passes only when the test says so: for the runner as its scheduler, for the hostile drivers as their schedule. */
export interface VirtualTime {
  readonly scheduler: Scheduler;
  readonly schedule: Schedule;
  /** Lets so much time pass, timer by timer, each with all that follows from it. */
  pass(milliseconds: number): Promise<void>;
}

interface Timer {
  readonly due: Instant;
  readonly wake: () => void;
}

/** Everything that is under way has come to rest once the event loop turns: nothing here waits for real input or output. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function createVirtualTime(): VirtualTime {
  let now = SIMULATION_START;
  const timers = new Set<Timer>();

  const sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = (): void => {
        timers.delete(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = { due: now + milliseconds * MICROS_PER_MILLISECOND, wake };
      timers.add(timer);
      signal?.addEventListener('abort', wake);
    });

  /** Timers due together wake in the order in which they were set. */
  const earliest = (): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) if (first === undefined || timer.due < first.due) first = timer;
    return first;
  };

  const pass = async (milliseconds: number): Promise<void> => {
    const until = now + milliseconds * MICROS_PER_MILLISECOND;
    for (;;) {
      await settled();
      const next = earliest();
      if (next === undefined || next.due > until) break;
      now = Math.max(now, next.due);
      next.wake();
    }
    now = until;
  };

  return {
    scheduler: { now: () => now, sleep },
    schedule: { now: () => now, random: seededRandom(1).next, point: () => Promise.resolve() },
    pass,
  };
}
