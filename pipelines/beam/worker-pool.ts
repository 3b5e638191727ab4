import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import type {
  StartWorkerRequest,
  StartWorkerResponse,
  StopWorkerRequest,
  StopWorkerResponse,
} from 'apache-beam/proto/beam_fn_api';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describeError } from './repairs/worker.ts';
import { fnServers, grpc } from './sdk.ts';

export interface WorkerPoolOptions {
  /** Variables of the workers, beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly host?: string;
  /** 0: any that is free. */
  readonly port?: number;
  /** Told of every worker that begins or ends. */
  readonly say?: (line: string) => void;
  /** How long a worker may take to end before it is killed. */
  readonly stopWithinMs?: number;
}

/** Starts a process for each worker that a runner asks for: what an EXTERNAL environment points at. */
export interface WorkerPool {
  /** `host:port` for the environment. */
  readonly endpoint: string;
  /** The processes that run now. */
  pids(): number[];
  /** Takes no more requests and ends all workers. */
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const STOP_WITHIN_MS = 15_000;
const WORKERS_MAX = 64;
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));

type Call<Request, Response> = (
  call: ServerUnaryCall<Request, Response>,
  reply: sendUnaryData<Response>,
) => void;

export function argumentsOf(request: StartWorkerRequest): string[] {
  const { workerId, controlEndpoint, loggingEndpoint, provisionEndpoint } = request;
  const endpoints = { control: controlEndpoint, logging: loggingEndpoint, provision: provisionEndpoint };
  return [
    `--id=${workerId}`,
    ...Object.entries(endpoints).flatMap(([name, endpoint]) =>
      endpoint?.url ? [`--${name}_endpoint=${endpoint.url}`] : [],
    ),
  ];
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

/** Asks it to end, then makes it. */
async function end(child: ChildProcess, withinMs: number): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  child.kill('SIGTERM');
  await exited.finally(() => clearTimeout(timer));
}

/** The processes by the ids that the runner gave them. */
function createWorkers({
  environment,
  say = () => undefined,
  stopWithinMs = STOP_WITHIN_MS,
}: WorkerPoolOptions) {
  const children = new Map<string, ChildProcess>();
  const stop = async (id: string): Promise<void> => {
    const child = children.get(id);
    if (child !== undefined) await end(child, stopWithinMs);
  };
  const start = async (request: StartWorkerRequest): Promise<void> => {
    const { workerId } = request;
    if (children.has(workerId)) throw new Error(`the worker ${workerId} runs already`);
    if (children.size >= WORKERS_MAX) throw new Error(`${WORKERS_MAX} workers run already`);
    const args = ['--disable-warning=ExperimentalWarning', WORKER, ...argumentsOf(request)];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...environment },
    });
    children.set(workerId, child);
    child.once('exit', (code, signal) => {
      children.delete(workerId);
      say(`the worker ${workerId} ended with ${code ?? signal ?? 'nothing'}`);
    });
    child.once('error', () => children.delete(workerId));
    await once(child, 'spawn');
    say(`the worker ${workerId} is process ${child.pid ?? 'unknown'}`);
  };
  return {
    start,
    stop,
    pids: () => [...children.values()].flatMap(({ pid }) => pid ?? []),
    stopAll: async () => void (await Promise.all([...children.keys()].map(stop))),
  };
}

/** Errors are answers here, not statuses of the call. */
const answering =
  <Request>(work: (request: Request) => Promise<void>): Call<Request, { error: string }> =>
  ({ request }, reply) => {
    work(request).then(
      () => reply(null, { error: '' }),
      (error: unknown) => reply(null, { error: describeError(error) }),
    );
  };

/** Serves runners of this machine: nobody is asked who he is, so the port is bound to the loopback device unless told otherwise. */
export async function openWorkerPool(options: WorkerPoolOptions = {}): Promise<WorkerPool> {
  const { host = LOOPBACK, port = 0 } = options;
  const pool = createWorkers(options);
  const startWorker: Call<StartWorkerRequest, StartWorkerResponse> = answering((request) =>
    pool.start(request),
  );
  const stopWorker: Call<StopWorkerRequest, StopWorkerResponse> = answering(({ workerId }) =>
    pool.stop(workerId),
  );
  const server = new grpc.Server();
  server.addService(fnServers.beamFnExternalWorkerPoolDefinition, { startWorker, stopWorker });
  const bound = Promise.withResolvers<number>();
  server.bindAsync(`${host}:${port}`, grpc.ServerCredentials.createInsecure(), (error, at) =>
    error ? bound.reject(error) : bound.resolve(at),
  );
  const endpoint = `${host}:${await bound.promise}`;
  return {
    endpoint,
    pids: pool.pids,
    close: async () => {
      server.forceShutdown();
      await pool.stopAll();
    },
  };
}
