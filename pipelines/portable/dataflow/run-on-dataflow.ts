import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { RunningJob } from '#infra/engines/dataflow/jobs-api.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { PipelineProto } from '#pipelines/beam/sdk.ts';
import { prepareJob, type PreparedJob } from './dataflow-job.ts';
import { expectActive, launch, type DataflowService } from './launch.ts';
import { jobName, readDataflowSettings, type DataflowSettings } from './settings.ts';
import { serviceOf, tellDryRun, watchTelling, type ToldRun } from './told-run.ts';

/**
 * What is to be done on Dataflow, once the arguments and the environment are read. When the signal comes watching ends, and the job goes on. A dry run
 * asks Google nothing, not even for credentials.
 */
export interface DataflowRun extends ToldRun {
  /** The pipeline that the job runs; not asked for where a job is drained or cancelled. */
  readonly buildPipeline: () => PipelineProto | Promise<PipelineProto>;
  /** Another name for the job than the settings have: a second job beside the first. */
  readonly name?: string;
  readonly update?: boolean;
  readonly validate?: boolean;
  readonly drain?: boolean;
  readonly cancel?: boolean;
}

/**
 * Launches the job, or replaces, drains or cancels it, and watches it until it ends or the signal comes. Resolves with the exit status: 1 when
 * the job failed. Throws an error that names what is wrong with the settings, NotPortable, NotForRunnerV2, JobNameTaken, NoSuchJob and GoogleApiError.
 */
export async function runOnDataflow(run: DataflowRun): Promise<number> {
  const settings = settingsOf(run);
  if (run.dryRun) {
    await tellDryRun(run, await prepared(run, settings));
    return 0;
  }
  const service = serviceOf(run, settings);
  const ends = run.drain || run.cancel;
  const began = (run.scheduler ?? systemScheduler).now();
  const job = ends
    ? await endJob(run, service, settings.name)
    : await launch(service, await prepared(run, settings), { update: run.update, validate: run.validate });
  // A job that is ended may have said much in its life that nobody wants to hear again.
  const since = ends ? formatInstant(began) : undefined;
  const last = await watchTelling(run, job, { service, settings, since });
  return last === 'JOB_STATE_FAILED' ? 1 : 0;
}

function settingsOf({ environment, name, drain, cancel, update, validate }: DataflowRun): DataflowSettings {
  if ([drain, cancel, update, validate].filter(Boolean).length > 1)
    throw new Error('a job is either updated, validated, drained or cancelled');
  const settings = readDataflowSettings(environment);
  return name === undefined ? settings : { ...settings, name: jobName.parse(name) };
}

const prepared = async ({ buildPipeline }: DataflowRun, settings: DataflowSettings): Promise<PreparedJob> =>
  prepareJob(await buildPipeline(), settings);

async function endJob(run: DataflowRun, { jobs }: DataflowService, name: string): Promise<RunningJob> {
  const job = await expectActive(jobs, name);
  await jobs.end(job.id, run.drain ? 'JOB_STATE_DRAINED' : 'JOB_STATE_CANCELLED');
  return job;
}
