import { randomUUID } from 'node:crypto';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { countJobHolders, drainLease } from '#infra/fleet/job-holders.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { runErrand } from '#pipelines/runner/errand.ts';
import type { Log } from '#pipelines/runner/log.ts';

/** So long what is in hand may take to be committed and acknowledged: as long as a bundle waits for its store. */
export const DRAIN_MS_MAX = 60_000;
const RENEW_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 200;
/** What the database may take beyond, where it does not answer. */
const ANSWER_MS_MAX = 2_000;

export interface DrainOptions {
  readonly job: string;
  readonly database: Database;
  readonly scheduler: Scheduler;
  readonly log: Log;
  /** Told what happens, in a sentence. */
  readonly say: (line: string) => void;
}

/**
 * Ends a job by draining it: its readers pull no more, and `stop` is called when everything that they have pulled is committed and acknowledged, or
 * after DRAIN_MS_MAX; then what is left comes again after its acknowledgement deadline. It works through the database that the workers share, since
 * no engine but Dataflow drains a source of ours. Rejects as `stop` does; a database that fails is only told.
 */
export async function drainJob(options: DrainOptions, stop: () => Promise<void>): Promise<void> {
  const { job, database, scheduler, log } = options;
  const lease = drainLease(database, { job, worker: `drain-${randomUUID()}`, clock: scheduler.now });
  const over = new AbortController();
  let renewing: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    await lease.isMine();
    // It may have taken so long that nobody waits any more.
    if (over.signal.aborted) return;
    // Until the job has ended its readers must not begin again.
    const renew = { everyMs: RENEW_EVERY_MS, run: () => lease.isMine() };
    renewing = runErrand(renew, { scheduler, log }, over.signal);
    await untilNobodyHolds(options);
  };
  const giveUp = async (): Promise<void> => {
    await renewing;
    await lease.giveUp();
  };
  const warn = (what: string) => (error: unknown) => log.warn({ err: error, job }, what);
  // A database that does not answer keeps nobody from stopping.
  const drained = drain().catch(warn('the job could not be drained: what it holds comes again'));
  await within(DRAIN_MS_MAX + ANSWER_MS_MAX, drained, scheduler);
  try {
    await stop();
  } finally {
    over.abort();
    // A job of that name that is submitted later waits for the end of the lease if this fails.
    const givenUp = giveUp().catch(warn('the drain is left to expire'));
    await within(ANSWER_MS_MAX, givenUp, scheduler);
  }
}

/** Waits for what never rejects, so long at most. */
async function within(
  milliseconds: number,
  work: Promise<void>,
  scheduler: Pick<Scheduler, 'sleep'>,
): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, scheduler.sleep(milliseconds, done.signal)]);
  done.abort();
}

async function untilNobodyHolds({ job, database, scheduler, say }: DrainOptions): Promise<void> {
  const beganAt = scheduler.now();
  const passedMs = (): number => (scheduler.now() - beganAt) / MICROS_PER_MILLI;
  say(
    `${job}: draining: its readers pull no more, and what they have pulled is committed (${DRAIN_MS_MAX / 1_000} s at most)`,
  );
  for (;;) {
    const holding = await countJobHolders(database, job, scheduler.now());
    const seconds = (passedMs() / 1_000).toFixed(1);
    if (holding === 0) return say(`${job}: drained in ${seconds} s`);
    if (passedMs() >= DRAIN_MS_MAX)
      return say(
        `${job}: not drained after ${seconds} s, as ${holding} of its workers still hold messages: these come again`,
      );
    await scheduler.sleep(LOOK_EVERY_MS);
  }
}
