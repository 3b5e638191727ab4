import type { LogEntry } from 'apache-beam/proto/beam_fn_api';
import { openRunnerLog } from './runner-log.ts';
import { fnApi } from './sdk.ts';

export type Severity = 'info' | 'warn' | 'error';

/** What the worker itself has to say: to the process's error output and, where there is one, to the runner's log. */
export interface WorkerLog {
  /** `bundleId`: what the runner calls the bundle that it is about. */
  log(severity: Severity, message: string, bundleId?: string): void;
  /** Resolves when the runner has all of it, or after a short time. */
  close(): Promise<void>;
}

const MS_PER_SECOND = 1_000;
const NANOS_PER_MS = 1_000_000;
/** Runners take messages of some megabytes at most; what is longer is cut, and is whole in the error output. */
const MESSAGE_LENGTH_MAX = 32_768;

const { LogEntry_Severity_Enum: Level } = fnApi;
const levels: Record<Severity, LogEntry['severity']> = {
  info: Level.INFO,
  warn: Level.WARN,
  error: Level.ERROR,
};

function entryOf(severity: Severity, message: string, instructionId = ''): LogEntry {
  const nowMs = Date.now();
  const timestamp = {
    seconds: BigInt(Math.floor(nowMs / MS_PER_SECOND)),
    nanos: (nowMs % MS_PER_SECOND) * NANOS_PER_MS,
  };
  const cut = message.slice(0, MESSAGE_LENGTH_MAX);
  return fnApi.LogEntry.create({ severity: levels[severity], message: cut, timestamp, instructionId });
}

export function openWorkerLog(workerId: string, endpoint?: string): WorkerLog {
  const runner = endpoint === undefined ? undefined : openRunnerLog(endpoint, workerId);
  return {
    log: (severity, message, bundleId) => {
      const line = {
        level: severity,
        worker: workerId,
        ...(bundleId !== undefined && { bundle: bundleId }),
        message,
      };
      process.stderr.write(`${JSON.stringify(line)}\n`);
      runner?.send(entryOf(severity, message, bundleId));
    },
    close: async () => runner?.close(),
  };
}
