import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HEAP_OPTIONS } from '#infra/heap-options.ts';
import type { UsageCounters } from '#pipelines/usage/counters.ts';

/** What a pipeline process says of itself, some times a second. */
export interface Report {
  readonly counters: UsageCounters;
  readonly cpuMicros: NodeJS.CpuUsage;
  readonly residentBytes: number;
}

export interface PipelineProcess {
  readonly pid: number;
  readonly latest: Report | undefined;
  readonly isRunning: boolean;
  /** As an operator's worst day: no warning, no clean-up. */
  kill(): Promise<void>;
  /** Lets the batch in hand end. */
  stop(): Promise<void>;
}

export interface PipelineProcessOptions {
  readonly directory: string;
  readonly latenessSeconds: number;
  readonly ackDeadlineSeconds: number;
  readonly onReport?: (report: Report) => void;
  readonly nodeOptions?: readonly string[];
}

const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning', ...HEAP_OPTIONS];

/** Starts the embedded pipeline as a process of its own; it ends with this one. */
export const startPipeline = (options: PipelineProcessOptions): Promise<PipelineProcess> =>
  startProcess(
    fork(
      fileURLToPath(new URL('../embedded/main.ts', import.meta.url)),
      [
        `--directory=${options.directory}`,
        `--lateness-seconds=${options.latenessSeconds}`,
        `--ack-deadline-seconds=${options.ackDeadlineSeconds}`,
        '--log-level=error',
      ],
      { execArgv: [...NODE_OPTIONS, ...(options.nodeOptions ?? [])] },
    ),
    options.onReport,
  );

/** Starts a worker of a fleet as a process of its own; it ends with this one. */
export const startWorker = (environment: Readonly<Record<string, string>>): Promise<PipelineProcess> =>
  startProcess(
    fork(fileURLToPath(new URL('../fleet/main.ts', import.meta.url)), [], {
      env: { ...process.env, ...environment },
      execArgv: [...NODE_OPTIONS],
    }),
  );

/** Resolves when it pulls. */
async function startProcess(
  child: ChildProcess,
  onReport?: (report: Report) => void,
): Promise<PipelineProcess> {
  let latest: Report | undefined;
  const exited = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`the pipeline process ended with code ${String(code)} before it was ready`)),
    );
    child.on('message', (message: Report | { ready: true } | { fault: string }) => {
      if ('ready' in message) return resolve();
      if ('fault' in message) return reject(new Error(message.fault));
      latest = message;
      onReport?.(message);
    });
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    pid: child.pid ?? 0,
    get latest() {
      return latest;
    },
    get isRunning() {
      return child.exitCode === null && child.signalCode === null;
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}
