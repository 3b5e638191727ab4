import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { defaultCredentials } from '#infra/engines/dataflow/credentials.ts';
import { openGoogleApi } from '#infra/engines/dataflow/google-api.ts';
import { openJobsApi, type RunningJob } from '#infra/engines/dataflow/jobs-api.ts';
import { stageFile } from '#infra/engines/dataflow/staging.ts';
import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import type { PipelineProto } from '#pipelines/beam/sdk.ts';
import { prepareJob, type PreparedJob } from './dataflow-job.ts';
import { expectActive, launch, type DataflowService } from './launch.ts';
import { jobName, readDataflowSettings, type DataflowSettings } from './settings.ts';
import { watchJob } from './watch-job.ts';

/** What is to be done on Dataflow, once the arguments and the environment are read. */
export interface DataflowRun {
  readonly environment: NodeJS.ProcessEnv;
  /** The pipeline that the job runs; not asked for where a job is drained or cancelled. */
  readonly buildPipeline: () => PipelineProto | Promise<PipelineProto>;
  /** One line, without its end. */
  print(line: string): void;
  /** Another name for the job than the settings have: a second job beside the first. */
  readonly name?: string;
  /** Prints the job that would be asked for and writes what would be staged; asks Google nothing, not even for credentials. */
  readonly dryRun?: boolean;
  /** The folder that the dry run writes `job.json` and `pipeline.pb` into. */
  readonly out?: string;
  readonly update?: boolean;
  readonly validate?: boolean;
  readonly drain?: boolean;
  readonly cancel?: boolean;
  /** Lines for programs. */
  readonly json?: boolean;
  /** Watching ends, and the job goes on. */
  readonly signal?: AbortSignal;
  readonly scheduler?: Scheduler;
  /** Another service than Google's, for tests. */
  readonly open?: (settings: DataflowSettings, scheduler: Scheduler) => DataflowService;
}

const DRY_RUN_FOLDER = join('.millrace', 'dataflow');

/**
 * Launches the job, or replaces, drains or cancels it, and watches it until it ends or the signal comes. Resolves with the exit status: 1 when
 * the job failed. Throws an error that names what is wrong with the settings, NotPortable, NotForRunnerV2, JobNameTaken, NoSuchJob and GoogleApiError.
 */
export async function runOnDataflow(run: DataflowRun): Promise<number> {
  const settings = settingsOf(run);
  if (run.dryRun) {
    await dryRun(run, await prepared(run, settings));
    return 0;
  }
  const scheduler = run.scheduler ?? systemScheduler;
  const service = (run.open ?? openDataflow)(settings, scheduler);
  const ends = run.drain || run.cancel;
  const began = scheduler.now();
  const job = ends
    ? await endJob(run, service, settings.name)
    : await launch(service, await prepared(run, settings), { update: run.update, validate: run.validate });
  tell(run, `job ${job.name} (${job.id}): ${consoleOf(job, settings)}`, { event: 'job', ...job });
  const last = await watchJob(job.id, {
    jobs: service.jobs,
    scheduler,
    signal: run.signal,
    // A job that is ended may have said much in its life that nobody wants to hear again.
    since: ends ? formatInstant(began) : undefined,
    changed: (state) => tell(run, state, { event: 'state', state }),
    said: ({ id: _, ...message }) =>
      tell(run, `${message.time} ${message.messageText}`, { event: 'message', ...message }),
  });
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

async function dryRun(run: DataflowRun, { job, pipeline }: PreparedJob): Promise<void> {
  const folder = run.out ?? DRY_RUN_FOLDER;
  const text = JSON.stringify(job, null, 2);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'job.json'), `${text}\n`);
  await writeFile(join(folder, 'pipeline.pb'), pipeline.bytes);
  run.print(run.json ? JSON.stringify(job) : text);
}

async function endJob(run: DataflowRun, { jobs }: DataflowService, name: string): Promise<RunningJob> {
  const job = await expectActive(jobs, name);
  await jobs.end(job.id, run.drain ? 'JOB_STATE_DRAINED' : 'JOB_STATE_CANCELLED');
  return job;
}

function openDataflow({ project, region }: DataflowSettings, scheduler: Scheduler): DataflowService {
  const call = openGoogleApi({ accessToken: defaultCredentials(), scheduler });
  return {
    jobs: openJobsApi(call, { project, region }),
    stage: (place, content) => stageFile(call, place, content),
  };
}

const consoleOf = ({ id }: RunningJob, { project, region }: DataflowSettings): string =>
  `https://console.cloud.google.com/dataflow/jobs/${region}/${id}?project=${project}`;

const tell = (run: DataflowRun, line: string, facts: object): void =>
  run.print(run.json ? JSON.stringify(facts) : line);
