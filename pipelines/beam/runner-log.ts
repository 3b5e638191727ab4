import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { LogControl, LogEntry, LogEntry_List } from 'apache-beam/proto/beam_fn_api';
import { fnClients, grpc } from './sdk.ts';

/** The runner's log, as a worker sees it: it takes lines at any time, and hands them over when it can. */
export interface RunnerLog {
  send(entry: LogEntry): void;
  /** Resolves when the runner has all of it, or after a short time. */
  close(): Promise<void>;
}

export interface RunnerLogOptions {
  /** Lines that wait for the runner at most; of more the oldest are lost. */
  readonly waitingMax?: number;
  readonly reopenAfterMs?: number;
}

/** So many lines wait while the runner takes none. What is lost is still in the error output. */
export const WAITING_LINES_MAX = 1_000;
const LINES_PER_MESSAGE_MAX = 100;
const REOPEN_AFTER_MS = 1_000;
const CLOSE_TIMEOUT_MS = 2_000;

type LogStream = ClientDuplexStream<LogEntry_List, LogControl>;

/** Lines in order; when it is full the oldest goes. */
function createWaiting(max: number) {
  let lines: LogEntry[] = [];
  return {
    add: (entry: LogEntry): void => {
      lines.push(entry);
      if (lines.length > max) lines = lines.slice(-max);
    },
    take: (): LogEntry[] => lines.splice(0, LINES_PER_MESSAGE_MAX),
    isEmpty: () => lines.length === 0,
  };
}

/**
 * Opens the stream of lines, and again whenever it breaks. Losing the log fails no bundle. Lines that were given to a stream that then broke may
 * be lost with it: nobody acknowledges them.
 */
export function openRunnerLog(
  endpoint: string,
  workerId: string,
  { waitingMax = WAITING_LINES_MAX, reopenAfterMs = REOPEN_AFTER_MS }: RunnerLogOptions = {},
): RunnerLog {
  const metadata = new grpc.Metadata();
  metadata.add('worker_id', workerId);
  const client = new fnClients.BeamFnLoggingClient(endpoint, grpc.credentials.createInsecure());
  const waiting = createWaiting(waitingMax);
  const closed = Promise.withResolvers<undefined>();
  let stream: LogStream | undefined;
  let isClosing = false;
  const flush = (): void => {
    while (stream !== undefined && !stream.writableNeedDrain && !waiting.isEmpty())
      stream.write({ logEntries: waiting.take() });
    if (isClosing && waiting.isEmpty()) stream?.end();
  };
  const open = (): void => {
    const opened = client.logging(metadata) as LogStream;
    stream = opened;
    opened.on('error', () => undefined).on('drain', flush);
    opened.on('status', () => {
      stream = undefined;
      if (isClosing) closed.resolve(undefined);
      else setTimeout(open, reopenAfterMs).unref();
    });
    opened.resume();
    flush();
  };
  open();
  return {
    send: (entry) => {
      waiting.add(entry);
      flush();
    },
    close: async () => {
      isClosing = true;
      flush();
      if (stream === undefined) closed.resolve(undefined);
      const timer = setTimeout(closed.resolve, CLOSE_TIMEOUT_MS, undefined);
      await closed.promise.finally(() => clearTimeout(timer));
      client.close();
    },
  };
}
