import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { flinkOptions } from '#infra/engines/flink/job-options.ts';
import { openFlink, type FlinkEngine } from '#infra/engines/flink/open-flink.ts';
import { workersBelow } from '#infra/engines/worker-processes.ts';
import { startPipeline } from '#pipelines/demo/pipeline-process.ts';
import { submitUsage } from '#pipelines/portable/submit.ts';
import { residentOf } from './processes.ts';

/** A pipeline that runs, as its bench sees it. */
export interface RunningMode {
  /** Of the engine, and of the processes that parse and commit. */
  pids(): Promise<{ readonly engine: readonly number[]; readonly workers: readonly number[] }>;
  /** Whether there is an engine that keeps state. */
  readonly hasState: boolean;
  /** Undefined where there is none. */
  state(): Promise<EngineState | undefined>;
  stop(): Promise<void>;
}

export interface EngineState {
  /** What lives in the heap when all garbage is gone. */
  readonly heapBytes: number;
  /** Of the last checkpoint; undefined before the first. */
  readonly checkpointBytes: number | undefined;
  readonly restarts: number;
}

const LATENESS_SECONDS = 3_600;
const ACK_DEADLINE_SECONDS = 60;
const JOB = 'bench';

/** The pipeline of the embedded default. */
export async function startEmbedded(directory: string): Promise<RunningMode> {
  const pipeline = await startPipeline({
    directory,
    latenessSeconds: LATENESS_SECONDS,
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
  });
  return {
    pids: async () => ({ engine: [], workers: [pipeline.pid] }),
    hasState: false,
    state: async () => undefined,
    stop: pipeline.stop,
  };
}

export interface FlinkModeSettings {
  /** For the engine's logs and checkpoints. */
  readonly folder: string;
  /** Of the stores, as workers read them. */
  readonly environment: NodeJS.ProcessEnv;
  readonly parallelism: number;
}

/** The variables of workers whose stores are the embedded ones in that directory. */
export const embeddedVariables = (directory: string): NodeJS.ProcessEnv => ({
  MILLRACE_BACKEND: 'embedded',
  MILLRACE_DATA_DIR: directory,
  MILLRACE_ACK_DEADLINE_SECONDS: String(ACK_DEADLINE_SECONDS),
  MILLRACE_LATENESS_SECONDS: String(LATENESS_SECONDS),
  MILLRACE_LOG_LEVEL: 'warn',
});

/** The usage job on a mini cluster of its own, with as many worker processes as its parallelism. Throws `EngineUnavailable`. */
export async function startOnFlink(settings: FlinkModeSettings): Promise<RunningMode> {
  const { folder, environment, parallelism } = settings;
  const engine = await openFlink({
    ...{ mode: 'mini', folder, environment: { ...process.env, ...environment } },
    say: (line) => console.log(line),
  });
  try {
    const checkpointUrl = `file://${engine.folders.checkpoints}`;
    const options = flinkOptions({ checkpointUrl, parallelism, workersPerTaskManager: parallelism });
    const { jobEndpoint } = engine;
    const submitted = await submitUsage({ jobEndpoint, options }, { name: JOB, environment });
    return {
      pids: async () => ({ engine: engine.pids, workers: (await workersBelow(engine.pids)) ?? [] }),
      hasState: true,
      state: () => stateOf(engine),
      stop: async () => {
        submitted.release();
        await engine.stopJob(JOB);
        await engine.close();
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function stateOf(engine: FlinkEngine): Promise<EngineState> {
  const [job] = await engine.jobs(JOB);
  const checkpoints = await job?.rest.checkpoints(job.id);
  return {
    heapBytes: await heapBytes(engine.pids),
    checkpointBytes: checkpoints?.latest?.stateBytes,
    restarts: (await engine.restarts(JOB).catch(() => undefined)) ?? 0,
  };
}

/** `def new generation   total 78656K, used 1398K [...`, and the same of the tenured one. */
const USED = /\b(?:def new|tenured) generation\s+total \d+K, used (\d+)K/g;
const BYTES_PER_KILOBYTE = 1_024;

/** Collects all garbage of Java processes first. */
async function heapBytes(pids: readonly number[]): Promise<number> {
  const jcmd = (pid: number, command: string) => promisify(execFile)('jcmd', [String(pid), command]);
  let bytes = 0;
  for (const pid of pids) {
    await jcmd(pid, 'GC.run');
    const { stdout } = await jcmd(pid, 'GC.heap_info');
    for (const [, kilobytes] of stdout.matchAll(USED)) bytes += Number(kilobytes) * BYTES_PER_KILOBYTE;
  }
  return bytes;
}

export interface ResidentBytes {
  readonly engine: number;
  readonly workers: number;
}

/** Memory of its processes, in bytes. */
export async function residentBytesOf(mode: RunningMode): Promise<ResidentBytes> {
  const { engine, workers } = await mode.pids();
  const sum = async (pids: readonly number[]): Promise<number> =>
    (await Promise.all(pids.map(residentOf))).reduce((total, { residentBytes }) => total + residentBytes, 0);
  return { engine: await sum(engine), workers: await sum(workers) };
}
