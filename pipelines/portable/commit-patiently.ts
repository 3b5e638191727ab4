import { MICROS_PER_SECOND } from '#domain/instant.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { backoffMs } from '#pipelines/runner/backoff.ts';
import { AppendFailed } from '#pipelines/usage/commit-usage.ts';
import type { Commit, PortableWorker } from './portable-worker.ts';

export interface PatientCommit {
  readonly worker: Pick<PortableWorker, 'scheduler' | 'log' | 'commitPatienceSeconds'>;
  readonly feed: string;
  readonly commit: Commit;
  /** What is not acknowledged is delivered again, so that what was committed and not appended may be left to that. */
  readonly comeAgain: boolean;
}

/** Tries again while a store fails, for as long as its worker has patience; then it throws what the store threw. */
export async function commitPatiently(
  { worker: { scheduler, log, commitPatienceSeconds }, feed, commit, comeAgain }: PatientCommit,
  deliveries: readonly Delivery[],
): Promise<void> {
  const fields = { feed, messages: deliveries.length };
  const until = scheduler.now() + commitPatienceSeconds * MICROS_PER_SECOND;
  for (let failures = 1; ; failures++) {
    try {
      return await commit(deliveries);
    } catch (error) {
      if (comeAgain && error instanceof AppendFailed) {
        log.error({ err: error, ...fields }, 'committed, but not appended: the messages come again');
        return;
      }
      if (scheduler.now() >= until) throw error;
      log.error({ err: error, failures, ...fields }, 'the bundle was not committed; trying again');
      await scheduler.sleep(backoffMs(failures));
    }
  }
}
