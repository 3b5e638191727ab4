import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SCOPES } from '#domain/access/scope.ts';
import { createApiKey } from '#infra/access/api-keys.ts';
import { openLocal, type LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { startPipeline, type PipelineProcess } from '#pipelines/demo/pipeline-process.ts';

/** A server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  /** User and system time that the process has used so far, in seconds. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning'];

async function startServer(module: string, args: readonly string[]): Promise<ServerProcess> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, { execArgv: NODE_OPTIONS });
  const url = await urlOf(child);
  return {
    url,
    cpuSeconds: () => cpuSecondsOf(child.pid ?? 0),
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function urlOf(child: ChildProcess): Promise<string> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [{ url?: string; fault?: string }];
    if (message.fault !== undefined) throw new Error(message.fault);
    if (message.url !== undefined) return message.url;
  }
}

const TICKS_PER_SECOND = 100;
/** Fields 14 and 15 of /proc/PID/stat, counted behind the command's closing bracket. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) / TICKS_PER_SECOND;
}

export const startBareServer = (kind: 'express' | 'http'): Promise<ServerProcess> =>
  startServer('bare-server.ts', [kind]);

/** The API, its stores and, if wanted, the pipeline. */
export interface Platform {
  readonly stores: LocalStores;
  readonly api: ServerProcess;
  /** A key with all scopes. */
  readonly key: string;
  stop(): Promise<void>;
}

export async function startPlatform(
  directory: string,
  { pipeline }: { readonly pipeline: boolean },
): Promise<Platform> {
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  const { result } = await stores.database.transact((tx) =>
    createApiKey(tx, { namespace: 'default', name: 'bench', scopes: SCOPES, now: systemScheduler.now() }),
  );
  const worker: PipelineProcess | undefined = pipeline
    ? await startPipeline({ directory, latenessSeconds: 3_600, ackDeadlineSeconds: 60 })
    : undefined;
  const api = await startServer('../../api/main.ts', [
    `--directory=${directory}`,
    '--port=0',
    '--log-level=error',
    // One key sends all of it: what is measured is the server, not the limit.
    '--key-events-per-second=10000000',
    '--key-bytes-per-second=10000000000',
  ]);
  const stop = async (): Promise<void> => {
    await api.stop();
    await worker?.stop();
    await stores.close();
  };
  return { stores, api, key: result.secret, stop };
}
