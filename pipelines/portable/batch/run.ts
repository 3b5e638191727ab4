import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { openBackfills } from '#infra/backfill/backfill.ts';
import { openReconciliations } from '#infra/reconcile/reconciliations.ts';
import type { Engine } from '#infra/engines/engine.ts';
import { workOnBackfill } from '#pipelines/backfill/work-on-backfill.ts';
import type { WorkerEnvironment } from '#pipelines/beam/environments.ts';
import { submitJob, untilDone } from '#pipelines/beam/job-client.ts';
import type { SubmittedOptions } from '#pipelines/beam/submitted-options.ts';
import { workOnReconciliation } from '#pipelines/reconcile/work-on-reconciliation.ts';
import type { Log } from '#pipelines/runner/log.ts';
import { boundedPipeline, type RunJob } from './batch-job.ts';
import { createDistributedBatch } from './distributed-batch.ts';
import type { BatchRuntime } from './runtime.ts';

export type BatchKind = 'reconcile' | 'backfill';

export interface RunBatch extends BatchRuntime {
  readonly what: BatchKind;
  /** Undefined: this process does the work by itself, on the embedded engine. */
  readonly runJob: RunJob | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface BatchEngineOptions {
  readonly engine: Pick<Engine, 'jobEndpoint' | 'stopJob'>;
  readonly environment: WorkerEnvironment;
  /** What the runner is told beside: its parallelism, say. */
  readonly options?: SubmittedOptions;
}

/** How often a job that failed is submitted again before the operation is given up for now. */
const SUBMISSIONS_MAX = 3;

/**
 * Does the backfills, or the reconciliations, that are open, one after the other, and resolves when there are none that this process could do. What is
 * cut off goes on from what is stored, here or elsewhere. Rejects with the first error that three submissions of a job did not get over.
 */
export async function runBatch({ what, runJob, log, signal, ...runtime }: RunBatch): Promise<void> {
  const { database, scheduler } = runtime;
  const worker = `batch-${hostname()}-${process.pid}-${randomUUID()}`;
  const elsewhere = runJob && createDistributedBatch({ ...runtime, runJob: submitAgain(runJob, log) });
  const work = { worker, scheduler, signal, ...elsewhere };
  if (what === 'reconcile') {
    for (const name of await openReconciliations(database)) {
      log.info(name, 'a reconciliation begins');
      const { state, compared, differences, repaired } = await workOnReconciliation(runtime, {
        ...name,
        ...work,
      });
      log.info({ ...name, state, compared, differences, repaired }, 'a reconciliation has ended');
    }
    return;
  }
  for (const { namespace, meter, version } of await openBackfills(database)) {
    const name = { namespace, meter, version };
    log.info(name, 'a backfill begins');
    const { state, events, unmeasured } = await workOnBackfill(runtime, { ...name, ...work });
    log.info({ ...name, state, events, unmeasured }, 'a backfill has ended');
  }
}

/**
 * How long a worker is kept between two stages of a job: Flink runs the stages of a bounded job one after the other, and would else end its workers
 * with one and start new ones for the next. So long it stays when the job has ended, too.
 */
const WORKERS_KEPT_MS = 10_000;

/** Submits a job, and waits for its end. Told to stop, it ends the job at the engine. */
export const runJobOn =
  ({ engine, environment, options = {} }: BatchEngineOptions): RunJob =>
  async (name, build, signal) => {
    signal?.throwIfAborted();
    const proto = boundedPipeline(build);
    const job = await submitJob({
      ...{ endpoint: engine.jobEndpoint, name, proto, environment },
      // As a text: the Flink runner takes no numbers.
      options: { environmentCacheMillis: String(WORKERS_KEPT_MS), ...options },
    });
    const stop = (): void => void engine.stopJob(name).catch(() => undefined);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await untilDone(job);
    } finally {
      signal?.removeEventListener('abort', stop);
      job.release();
    }
  };

/** Every job may be run again: it does what is left to do. */
const submitAgain =
  (runJob: RunJob, log: Log): RunJob =>
  async (name, build, signal) => {
    for (let submission = 1; ; submission++) {
      try {
        return await runJob(`${name}-${submission}`, build, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (submission >= SUBMISSIONS_MAX) {
          log.error(
            { err: error, job: name, submission },
            'a batch job fails again and again: its work stays open',
          );
          throw error;
        }
        log.warn({ err: error, job: name, submission }, 'a batch job failed, and is submitted again');
      }
    }
  };
