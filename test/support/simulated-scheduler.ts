import type { Scheduler } from '#infra/scheduler.ts';
import type { Simulation } from './simulation.ts';

const MICROS_PER_MILLI = 1_000;

/** Timers of the code under test as a simulation has them, which an abort ends at once. */
export const simulatedScheduler = (sim: Simulation): Scheduler => ({
  now: sim.now,
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const cancel = sim.after(milliseconds * MICROS_PER_MILLI, () => {
        signal?.removeEventListener('abort', end);
        resolve();
      });
      const end = (): void => {
        cancel();
        resolve();
      };
      signal?.addEventListener('abort', end, { once: true });
    }),
});
