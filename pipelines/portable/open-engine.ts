import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '#infra/engines/engine.ts';
import { flinkOptions } from '#infra/engines/flink/job-options.ts';
import { newestCheckpoint, removeOtherCheckpoints } from '#infra/engines/flink/kept-checkpoints.ts';
import { openFlink, type FlinkEngine } from '#infra/engines/flink/open-flink.ts';
import { flinkRest } from '#infra/engines/flink/rest.ts';
import { jobsOn, stopJobsOn, type RunningFlinkJob } from '#infra/engines/flink/running-jobs.ts';
import { openPrism } from '#infra/engines/prism/open-prism.ts';
import { cancelJobs } from '#pipelines/beam/cancel-jobs.ts';
import type { SubmittedOptions } from '#pipelines/beam/submitted-options.ts';
import type { JavaReading } from './java-read.ts';

/** An engine with what a job on it is submitted with, and how often it has started a job again by itself. */
export interface PipelineEngine extends Engine {
  readonly options: SubmittedOptions;
  /** Undefined where the engine starts nothing again, or has no figure. */
  restarts(name: string): Promise<number | undefined>;
  /** The address of the web interface that shows the job of that name; undefined where there is none, or not yet. */
  page(name: string): Promise<string | undefined>;
  /** Where the engine was opened for it: then it reads Pub/Sub by itself. */
  readonly javaReading?: JavaReading;
}

export interface EngineSettings {
  readonly runner: 'prism' | 'flink';
  /** `host:port` of the job service of an engine that runs already; else one is started. */
  readonly jobEndpoint?: string;
  /** URL of the REST interface of a Flink cluster that runs already. */
  readonly flinkRest?: string;
  /** Of a Flink that is started: a JobManager and so many TaskManagers, instead of all in one process. */
  readonly taskManagers?: number;
  /** Where a Flink cluster that runs already writes checkpoints: a URL. */
  readonly checkpointUrl?: string;
  readonly parallelism?: number;
  /** Worker processes of each TaskManager. */
  readonly workers?: number;
  readonly checkpointMs?: number;
  /** For the logs, configuration and checkpoints of an engine that is started; it stays. Else a folder that goes with the engine. */
  readonly folder?: string;
  /** Of a Flink that is started: it reads Pub/Sub itself, as Java does. Else our own source reads. */
  readonly read?: 'java';
  readonly environment: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
}

/** Starts the engine, or is content with the one that runs. Throws `EngineUnavailable`, and an error that names settings that make no sense. */
export const openEngine = (settings: EngineSettings): Promise<PipelineEngine> =>
  settings.runner === 'prism' ? openPrismFor(settings) : openFlinkFor(settings);

async function openPrismFor({ jobEndpoint, environment, say }: EngineSettings): Promise<PipelineEngine> {
  const engine =
    jobEndpoint === undefined
      ? await openPrism({ environment, say, cancelJobs })
      : elsewhere('prism', jobEndpoint, (name) => cancelJobs(jobEndpoint, name));
  if (jobEndpoint === undefined) say(`prism: its job service is ${engine.jobEndpoint}`);
  // A job that fails on Prism has failed: it retries nothing, and takes no options.
  return { ...engine, options: {}, restarts: async () => undefined, page: async () => undefined };
}

/** Of each TaskManager, so that the others have room for the whole job when one is gone: nobody starts another. */
const slotsOf = (parallelism: number, taskManagers: number): number =>
  Math.ceil(parallelism / Math.max(1, taskManagers - 1));

async function openFlinkFor(settings: EngineSettings): Promise<PipelineEngine> {
  return settings.jobEndpoint === undefined
    ? openLocalFlink(settings)
    : useFlink(settings.jobEndpoint, settings);
}

async function openLocalFlink(settings: EngineSettings): Promise<PipelineEngine> {
  const { taskManagers, environment, say, read } = settings;
  const folder = settings.folder ?? mkdtempSync(join(tmpdir(), 'millrace-flink-'));
  const parallelism = settings.parallelism ?? 1;
  const engine = await openFlink({
    ...{ environment, say, folder, expansion: read === 'java' },
    mode: taskManagers === undefined ? 'mini' : 'cluster',
    ...(taskManagers !== undefined && { taskManagers, slots: slotsOf(parallelism, taskManagers) }),
  });
  say(
    `flink: logs, configuration and checkpoints are in ${folder}; its job service is ${engine.jobEndpoint}`,
  );
  const options = optionsOf(settings, `file://${engine.folders.checkpoints}`);
  return {
    ...engine,
    // Its processes change as TaskManagers come and go.
    get pids() {
      return engine.pids;
    },
    options,
    page: async (name) => pageOf(await engine.jobs(name)),
    ...(read === 'java' && { javaReading: javaReadingOf(engine) }),
    close: async () => {
      await engine.close();
      if (settings.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What is acknowledged is in a checkpoint first, so that the newest has everything that a job held and has not committed. */
const javaReadingOf = (engine: FlinkEngine): JavaReading => ({
  startExpansion: () => engine.startExpansion(),
  goingOn: async () => {
    const { checkpoints } = engine.folders;
    const newest = await newestCheckpoint(checkpoints);
    if (newest === undefined) return {};
    if ((await engine.jobs()).length === 0) await removeOtherCheckpoints(checkpoints, newest);
    return engine.startingFrom(newest.path);
  },
});

function useFlink(jobEndpoint: string, settings: EngineSettings): PipelineEngine {
  const { flinkRest: address, checkpointUrl } = settings;
  if (address === undefined) throw new Error('the REST interface of the Flink cluster is not given');
  const rests = [flinkRest(address)];
  return {
    ...elsewhere('flink', jobEndpoint, (name) => stopJobsOn(rests, name)),
    // To whoever only ends jobs there.
    options: checkpointUrl === undefined ? {} : optionsOf(settings, checkpointUrl),
    restarts: async (name) => {
      const [job] = await jobsOn(rests, name);
      return job?.rest.restarts(job.id);
    },
    page: async (name) => pageOf(await jobsOn(rests, name)),
  };
}

/** Of Flink's web interface, which is where its REST interface is. */
const pageOf = ([job]: readonly RunningFlinkJob[]): string | undefined => job?.rest.address;

const optionsOf = (
  { parallelism = 1, workers, checkpointMs, read }: EngineSettings,
  checkpointUrl: string,
): SubmittedOptions =>
  flinkOptions({
    checkpointUrl,
    parallelism,
    ...(workers !== undefined && { workersPerTaskManager: workers }),
    ...(checkpointMs !== undefined && { checkpointIntervalMs: checkpointMs }),
    // The read has as many readers as the parallelism may become, each with connections of its own.
    ...(read === 'java' && { keepCheckpoints: true, maxParallelism: parallelism }),
  });

/** An engine that is not ours to start, to watch or to end. */
const elsewhere = (name: Engine['name'], jobEndpoint: string, stopJob: Engine['stopJob']): Engine => ({
  ...{ name, jobEndpoint, stopJob },
  pids: [],
  exited: new Promise<never>(() => undefined),
  close: async () => undefined,
});
