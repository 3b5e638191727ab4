import type { LogEntry } from 'apache-beam/proto/beam_fn_api';
import { fnApi, fnClients, grpc } from './sdk.ts';

export type Severity = 'info' | 'warn' | 'error';

/** What the worker itself has to say: to the process's error output and, where there is one, to the runner's log. */
export interface WorkerLog {
  log(severity: Severity, message: string): void;
  /** Resolves when the runner has all of it, or after a short time. */
  close(): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 2_000;
const MS_PER_SECOND = 1_000;
const NANOS_PER_MS = 1_000_000;

const { LogEntry_Severity_Enum: Level } = fnApi;
const levels: Record<Severity, LogEntry['severity']> = {
  info: Level.INFO,
  warn: Level.WARN,
  error: Level.ERROR,
};

function entryOf(severity: Severity, message: string): LogEntry {
  const nowMs = Date.now();
  const timestamp = {
    seconds: BigInt(Math.floor(nowMs / MS_PER_SECOND)),
    nanos: (nowMs % MS_PER_SECOND) * NANOS_PER_MS,
  };
  return fnApi.LogEntry.create({ severity: levels[severity], message, timestamp });
}

function openRunnerLog(endpoint: string, workerId: string) {
  const metadata = new grpc.Metadata();
  metadata.add('worker_id', workerId);
  const client = new fnClients.BeamFnLoggingClient(endpoint, grpc.credentials.createInsecure());
  const stream = client.logging(metadata);
  // Losing the log is no reason to fail bundles; the error output still has every line.
  stream.on('error', () => undefined);
  stream.resume();
  return {
    send: (severity: Severity, message: string) =>
      void stream.write({ logEntries: [entryOf(severity, message)] }),
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS, undefined);
      stream.on('status', () => resolve(undefined));
      stream.end();
      await promise;
      clearTimeout(timer);
      client.close();
    },
  };
}

export function openWorkerLog(workerId: string, endpoint?: string): WorkerLog {
  const runner = endpoint === undefined ? undefined : openRunnerLog(endpoint, workerId);
  return {
    log: (severity, message) => {
      process.stderr.write(`${JSON.stringify({ level: severity, worker: workerId, message })}\n`);
      runner?.send(severity, message);
    },
    close: async () => runner?.close(),
  };
}
