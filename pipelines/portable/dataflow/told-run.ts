import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultCredentials } from '#infra/engines/dataflow/credentials.ts';
import { openGoogleApi } from '#infra/engines/dataflow/google-api.ts';
import { openJobsApi, type RunningJob } from '#infra/engines/dataflow/jobs-api.ts';
import { stageFile } from '#infra/engines/dataflow/staging.ts';
import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import type { PreparedJob } from './dataflow-job.ts';
import type { DataflowService } from './launch.ts';
import type { DataflowSettings } from './settings.ts';
import { watchJob } from './watch-job.ts';

/** What every command on Dataflow has in common: where it tells what happens, and of what. */
export interface ToldRun {
  readonly environment: NodeJS.ProcessEnv;
  /** One line, without its end. */
  print(line: string): void;
  /** Prints jobs that would be asked for and writes what would be staged; asks Dataflow nothing. */
  readonly dryRun?: boolean;
  /** The folder that the dry run writes `job.json` and `pipeline.pb` into. */
  readonly out?: string;
  /** Lines for programs. */
  readonly json?: boolean;
  readonly signal?: AbortSignal;
  readonly scheduler?: Scheduler;
  /** Another service than Google's, for tests. */
  readonly open?: (settings: DataflowSettings, scheduler: Scheduler) => DataflowService;
}

const DRY_RUN_FOLDER = join('.millrace', 'dataflow');

export function serviceOf(run: ToldRun, settings: DataflowSettings): DataflowService {
  return (run.open ?? openDataflow)(settings, run.scheduler ?? systemScheduler);
}

function openDataflow({ project, region }: DataflowSettings, scheduler: Scheduler): DataflowService {
  const call = openGoogleApi({ accessToken: defaultCredentials(), scheduler });
  return {
    jobs: openJobsApi(call, { project, region }),
    stage: (place, content) => stageFile(call, place, content),
  };
}

/** Prints the job, and writes it and what would be staged, below a folder of its own where it is one of several. */
export async function tellDryRun(run: ToldRun, { job, pipeline }: PreparedJob, below = ''): Promise<void> {
  const folder = join(run.out ?? DRY_RUN_FOLDER, below);
  const text = JSON.stringify(job, null, 2);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'job.json'), `${text}\n`);
  await writeFile(join(folder, 'pipeline.pb'), pipeline.bytes);
  run.print(run.json ? JSON.stringify(job) : text);
}

/** Tells where the job is, and then all there is to tell of it until it has ended or the signal comes. Resolves with its state as last seen. */
export async function watchTelling(
  run: ToldRun,
  job: RunningJob,
  {
    service,
    settings,
    since,
  }: {
    readonly service: DataflowService;
    readonly settings: DataflowSettings;
    /** Only what is said from then on (RFC 3339). */
    readonly since?: string | undefined;
  },
): Promise<string> {
  tell(run, `job ${job.name} (${job.id}): ${consoleOf(job, settings)}`, { event: 'job', ...job });
  return watchJob(job.id, {
    jobs: service.jobs,
    scheduler: run.scheduler ?? systemScheduler,
    signal: run.signal,
    since,
    changed: (state) => tell(run, state, { event: 'state', state }),
    said: ({ id: _, ...message }) =>
      tell(run, `${message.time} ${message.messageText}`, { event: 'message', ...message }),
  });
}

const consoleOf = ({ id }: RunningJob, { project, region }: DataflowSettings): string =>
  `https://console.cloud.google.com/dataflow/jobs/${region}/${id}?project=${project}`;

const tell = (run: ToldRun, line: string, facts: object): void =>
  run.print(run.json ? JSON.stringify(facts) : line);
