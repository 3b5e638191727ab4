import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { EmulatorSettings } from '#infra/emulators/emulator.ts';
import type { GuardedProcess } from '#infra/emulators/guarded-process.ts';
import { endGroup } from '../end-group.ts';
import type { Engine } from '../engine.ts';
import { startCluster, type FlinkCluster } from './cluster.ts';
import {
  miniConfiguration,
  writeConfiguration,
  type FlinkConfiguration,
  type Folders,
} from './configuration.ts';
import { startExpansionService, type ExpansionService } from './expansion-service.ts';
import { flinkJars, flinkJarsWithExpansion } from './flink-jars.ts';
import type { FlinkProcessSettings } from './flink-process.ts';
import { startJobServer } from './job-server.ts';
import { miniClusters } from './mini-clusters.ts';
import type { FlinkRest } from './rest.ts';
import { jobsOn, stopJobsOn, type RunningFlinkJob } from './running-jobs.ts';

export interface FlinkSettings extends EmulatorSettings {
  /** `mini`: one Java process, with a Flink of its own for each job. `cluster`: a JobManager and TaskManagers, as in production. */
  readonly mode: 'mini' | 'cluster';
  /** For logs, configuration and temporary files; it stays. */
  readonly folder: string;
  /** For checkpoints; else below the folder. */
  readonly checkpointFolder?: string;
  /** Of a cluster: 2. */
  readonly taskManagers?: number;
  /** Of each TaskManager: 2, so that one may be missing. A mini cluster has as many as its job asks for. */
  readonly slots?: number;
  /** Of each TaskManager, or of the job server with its mini clusters: 1,024. */
  readonly heapMb?: number;
  /** With Java's own read of Pub/Sub, and the expansion service that it is had from: false. */
  readonly expansion?: boolean;
}

/** Flink on this machine. */
export interface FlinkEngine extends Engine {
  readonly name: 'flink';
  readonly folders: Folders;
  /** Undefined where each job has a mini cluster. */
  readonly cluster: FlinkCluster | undefined;
  /** The jobs of that name that have not ended, with the interface that knows them; those of any name without one. */
  jobs(name?: string): Promise<readonly RunningFlinkJob[]>;
  /** How often the job of that name was started again since it was submitted; undefined where there is none, or no figure yet. */
  restarts(name: string): Promise<number | undefined>;
  /** What a job is submitted with, beside its other options, to go on from a savepoint or from a checkpoint that was kept. */
  startingFrom(savepoint: string): Promise<Readonly<Record<string, string>>>;
  /** Starts one, for whoever submits a job with a read of Java's; he stops it. Throws `EngineUnavailable`, also where the engine was opened without. */
  startExpansion(): Promise<ExpansionService>;
}

const HEAP_MB = 1_024;
const SHOWN_OUTPUT = 600;
const TASK_MANAGERS = 2;
const SLOTS = 2;
/** A job server without clusters of its own translates graphs. */
const JOB_SERVER_HEAP_MB = 256;
/** What jobs of a mini cluster go on from. */
const SAVEPOINT_PATH = 'execution.savepoint.path';

/** Starts it, all on the loopback interface; it ends with us. Throws `EngineUnavailable` when it cannot be had here, with the reason. */
export async function openFlink(settings: FlinkSettings): Promise<FlinkEngine> {
  const { mode, environment } = settings;
  const jars = await (settings.expansion === true ? flinkJarsWithExpansion : flinkJars)(settings);
  const folder = resolve(settings.folder);
  const logs = join(folder, 'logs');
  const folders = {
    temporary: join(folder, 'temporary'),
    checkpoints: resolve(settings.checkpointFolder ?? join(folder, 'checkpoints')),
    savepoints: join(folder, 'savepoints'),
  };
  for (const each of [logs, ...Object.values(folders)]) await mkdir(each, { recursive: true });
  const started = { jars, environment, logs };
  return mode === 'mini'
    ? openMini(settings, { folder, folders, started })
    : openCluster(settings, { folder, folders, started });
}

interface Place {
  readonly folder: string;
  readonly folders: Folders;
  readonly started: FlinkProcessSettings;
}

async function openMini(
  { heapMb = HEAP_MB, slots }: FlinkSettings,
  { folder, folders, started }: Place,
): Promise<FlinkEngine> {
  const configuration = miniConfiguration(folders, slots);
  const configurationFolder = join(folder, 'configuration');
  await writeConfiguration(configurationFolder, configuration);
  const server = await startJobServer({ ...started, configuration: configurationFolder, heapMb });
  return engineOf({
    endpoint: server.endpoint,
    processes: () => [server.process],
    vital: [{ what: 'the job server', process: server.process }],
    folders,
    rests: miniClusters(join(started.logs, 'job-server.out')),
    cluster: undefined,
    startingFrom: (savepoint) => configuredFrom(folder, configuration, savepoint),
    startExpansion: () => startExpansionService(started),
  });
}

async function openCluster(
  { heapMb = HEAP_MB, slots = SLOTS, taskManagers = TASK_MANAGERS }: FlinkSettings,
  { folder, folders, started }: Place,
): Promise<FlinkEngine> {
  const configuration = join(folder, 'configuration');
  const cluster = await startCluster({ ...started, folders, configuration, taskManagers, slots, heapMb });
  const { master, jobManager } = cluster;
  const server = await startJobServer({
    ...started,
    configuration,
    master,
    heapMb: JOB_SERVER_HEAP_MB,
  }).catch(async (error: unknown) => {
    await Promise.all([jobManager, ...cluster.taskManagers].map((each) => each.stop()));
    throw error;
  });
  return engineOf({
    endpoint: server.endpoint,
    processes: () => [server.process, ...cluster.taskManagers, jobManager],
    vital: [
      { what: 'the job server', process: server.process },
      { what: 'the JobManager', process: jobManager },
    ],
    folders,
    rests: async () => [cluster.rest],
    cluster,
    startingFrom: async (savepoint) => ({ savepointPath: savepoint }),
    startExpansion: () => startExpansionService(started),
  });
}

interface Parts {
  readonly endpoint: string;
  /** In the order in which they are stopped. */
  readonly processes: () => readonly GuardedProcess[];
  /** Without any of which it is no engine any more. A TaskManager may be missed: its job goes on elsewhere. */
  readonly vital: readonly { readonly what: string; readonly process: GuardedProcess }[];
  readonly folders: Folders;
  readonly rests: () => Promise<readonly FlinkRest[]>;
  readonly cluster: FlinkCluster | undefined;
  readonly startingFrom: FlinkEngine['startingFrom'];
  readonly startExpansion: FlinkEngine['startExpansion'];
}

function engineOf({ endpoint, processes, vital, rests, ...parts }: Parts): FlinkEngine {
  let closed = false;
  const firstEnd = Promise.race(
    vital.map(({ what, process }) => process.exited.then(() => ({ what, process }))),
  );
  const exited = firstEnd.then(({ what, process }) =>
    closed
      ? new Promise<never>(() => undefined)
      : `${what} has ended: ${process.output().trim().slice(-SHOWN_OUTPUT) || 'without a word'}`,
  );
  return {
    name: 'flink',
    jobEndpoint: endpoint,
    get pids() {
      return processes().flatMap((each) => (each.pid === undefined || each.hasExited() ? [] : [each.pid]));
    },
    exited,
    folders: parts.folders,
    cluster: parts.cluster,
    startingFrom: parts.startingFrom,
    startExpansion: parts.startExpansion,
    jobs: async (name) => jobsOn(await rests(), name),
    restarts: async (name) => {
      const [job] = await jobsOn(await rests(), name);
      return job?.rest.restarts(job.id);
    },
    stopJob: async (name) => stopJobsOn(await rests(), name),
    close: async () => {
      closed = true;
      for (const each of processes()) {
        await each.stop();
        if (each.pid !== undefined) await endGroup(each.pid);
      }
    },
  };
}

/** Beam hears `savepoint_path` only for a cluster elsewhere; a mini cluster reads where to go on from in its configuration. */
async function configuredFrom(
  folder: string,
  configuration: FlinkConfiguration,
  savepoint: string,
): Promise<Readonly<Record<string, string>>> {
  const from = join(
    folder,
    `configuration-from-${savepoint.replaceAll(/\W+/g, '-').slice(-FOLDER_CHARACTERS)}`,
  );
  await writeConfiguration(from, { ...configuration, [SAVEPOINT_PATH]: savepoint });
  return { flinkConfDir: from };
}

const FOLDER_CHARACTERS = 60;
