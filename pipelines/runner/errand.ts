import type { Scheduler } from '#infra/scheduler.ts';
import type { Log } from './log.ts';

/** Something a runner does now and then beside its bundles. Doing it once more than needed must be harmless. */
export interface Errand {
  readonly everyMs: number;
  run(): Promise<unknown>;
}

/** Does an errand again and again until the signal is aborted. One that fails is logged and done again at its next turn. */
export async function runErrand(
  { everyMs, run }: Errand,
  { scheduler, log }: { readonly scheduler: Scheduler; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await scheduler.sleep(everyMs, signal);
    if (signal.aborted) return;
    try {
      await run();
    } catch (error) {
      log.warn({ err: error }, 'an errand of the runner failed; it is done again later');
    }
  }
}
