import type { Scheduler } from '#infra/scheduler.ts';

/** Time that passes at once, with every pause written down in `pauses`, in milliseconds. `onPause` is called before each ends. */
export function promptScheduler(onPause: () => void = () => undefined): {
  readonly scheduler: Scheduler;
  readonly pauses: number[];
} {
  const pauses: number[] = [];
  const sleep = async (milliseconds: number): Promise<void> => {
    pauses.push(milliseconds);
    onPause();
  };
  return { pauses, scheduler: { now: () => 0, sleep } };
}
