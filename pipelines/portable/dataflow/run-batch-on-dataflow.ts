import { readBackend } from '#infra/cloud/backend.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { openBatchStores, type OpenBatchStores } from '#pipelines/batch/open-stores.ts';
import type { Log } from '#pipelines/runner/log.ts';
import { boundedPipeline, type RunJob } from '../batch/batch-job.ts';
import { nextJobs } from '../batch/next-jobs.ts';
import { runBatch, type BatchKind } from '../batch/run.ts';
import { prepareJob } from './dataflow-job.ts';
import { launch } from './launch.ts';
import { readDataflowSettings, type DataflowSettings } from './settings.ts';
import { serviceOf, tellDryRun, watchTelling, type ToldRun } from './told-run.ts';

/**
 * The batch work of one kind that is open, by jobs on Dataflow. When the signal comes the job that runs is cancelled. A dry run reads what is open in the
 * database, claims nothing of it, and asks Dataflow nothing.
 */
export interface DataflowBatchRun extends ToldRun {
  readonly what: BatchKind;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Others than the environment names, for tests. */
  readonly openStores?: (options: OpenBatchStores) => Promise<OpenedStores>;
}

/** Batch work on Dataflow that its workers could not reach. */
export class NotOnGoogleCloud extends Error {
  override readonly name = 'NotOnGoogleCloud';
  constructor() {
    super(
      'a batch job on Dataflow reads and writes Spanner and BigQuery (MILLRACE_BACKEND=gcp): its workers do not reach embedded stores, for which there is --runner embedded, flink or prism',
    );
  }
}

/** A job that ended otherwise than with all its work done. */
export class DataflowJobFailed extends Error {
  override readonly name = 'DataflowJobFailed';
}

/**
 * Does the work, job by job, and resolves with the exit status, which is 0, when there is none left that this process could do. Throws NotOnGoogleCloud, an
 * error that names what is wrong with the settings, NotForRunnerV2, JobNameTaken, GoogleApiError, and DataflowJobFailed when three submissions of a
 * job failed.
 */
export async function runBatchOnDataflow(run: DataflowBatchRun): Promise<number> {
  const { environment, what, log, signal, scheduler = systemScheduler } = run;
  if (readBackend(environment) !== 'gcp') throw new NotOnGoogleCloud();
  const settings = readDataflowSettings(environment);
  const stores = await (run.openStores ?? openBatchStores)({ environment, clock: scheduler.now });
  try {
    if (run.dryRun) await dryRun(run, settings, stores);
    else {
      const { database, warehouse } = stores;
      const runJob = runJobOnDataflow(run, settings);
      await runBatch({ what, runJob, database, warehouse, scheduler, log, signal });
    }
  } finally {
    await stores.close();
  }
  return 0;
}

async function dryRun(
  run: DataflowBatchRun,
  settings: DataflowSettings,
  { database }: Pick<OpenedStores, 'database'>,
): Promise<void> {
  const { jobs, without } = await nextJobs(database, run.what);
  for (const { name, build } of jobs)
    await tellDryRun(run, prepareJob(boundedPipeline(build), { ...settings, name }), name);
  if (run.json) return;
  for (const line of without) run.print(line);
  if (jobs.length + without.length === 0) run.print(`there is nothing open to ${run.what}`);
}

/** Runs bounded jobs on Dataflow, each to its end. Told to stop, it cancels the job. */
export function runJobOnDataflow(run: DataflowBatchRun, settings: DataflowSettings): RunJob {
  const service = serviceOf(run, settings);
  return async (name, build, signal) => {
    signal?.throwIfAborted();
    const job = await launch(service, prepareJob(boundedPipeline(build), { ...settings, name }));
    const last = await watchTelling(run, job, { service, settings });
    if (signal?.aborted) await service.jobs.end(job.id, 'JOB_STATE_CANCELLED');
    signal?.throwIfAborted();
    if (last !== 'JOB_STATE_DONE')
      throw new DataflowJobFailed(`the job ${name} (${job.id}) ended as ${last}`);
  };
}
