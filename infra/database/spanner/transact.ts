import { setTimeout } from 'node:timers/promises';
import type { Committed, Transaction } from '../database.ts';
import { StoreFailure } from '../errors.ts';
import { Aborted, startRun } from './transaction-run.ts';
import type { Run, RunOptions } from './transaction-run.ts';

/** So long the work is run again and again while others are in its way. */
const RETRY_MS_MAX = 60_000;
const BACKOFF_MS_MIN = 2;
const BACKOFF_MS_MAX = 1_000;

/** Runs the work until it is committed; see `Database.transact`. */
export async function transact<Result>(
  options: Omit<RunOptions, 'after'>,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Committed<Result>> {
  const startedAt = performance.now();
  let after: RunOptions['after'];
  for (let runs = 1; ; runs++) {
    const run = await startRun({ ...options, after });
    const done = await runOnce(run, work);
    if (done !== 'again') return done;
    after = run.id();
    if (performance.now() - startedAt > RETRY_MS_MAX) {
      throw new StoreFailure(
        `${options.connection.name}: a transaction was aborted ${runs} times, as others changed what it read; look for a hot row`,
      );
    }
    await setTimeout(backOffMs(runs));
  }
}

/** Twice as long at most with each run, at random, so that those who were in each other's way are not so again. */
const backOffMs = (runs: number): number =>
  Math.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(runs, 16));

/** An abort outranks whatever the work then returned or threw: its reads were cut short. */
async function runOnce<Result>(
  run: Run,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Committed<Result> | 'again'> {
  try {
    const result = await work(run.transaction);
    run.end();
    if (run.isAborted()) throw new Aborted('a read');
    const committedAt = await run.commit();
    return { result, committedAt };
  } catch (error) {
    await run.giveUp();
    if (run.isAborted() || error instanceof Aborted) return 'again';
    throw error;
  }
}
