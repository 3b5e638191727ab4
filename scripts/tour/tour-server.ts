import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../infra/local/start/main.ts', import.meta.url));

/** A platform to try, and how to be rid of it. */
export interface TourServer {
  readonly url: string;
  readonly key: string;
  stop(): Promise<void>;
}

/** The platform that MILLRACE_URL and MILLRACE_KEY name; else one of its own on a free port, whose data goes with it. */
export async function tourServer(environment: NodeJS.ProcessEnv): Promise<TourServer> {
  const { MILLRACE_URL: url, MILLRACE_KEY: key } = environment;
  if (url !== undefined && key !== undefined) return { url, key, stop: () => Promise.resolve() };
  const directory = await mkdtemp(join(tmpdir(), 'millrace-tour-'));
  const child = fork(PROGRAM, [], {
    env: { ...environment, MILLRACE_DATA_DIR: directory, MILLRACE_PORT: '0', MILLRACE_HOST: '127.0.0.1' },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  const ready = new Promise<{ url: string; secret: string }>((resolve) =>
    child.on('message', (said: { ready?: true; url?: string; secret?: string }) => {
      if (said.ready) resolve({ url: said.url ?? '', secret: said.secret ?? '' });
    }),
  );
  const started = await Promise.race([ready, exited]);
  if (started !== undefined) return { url: started.url, key: started.secret, stop };
  await stop();
  throw new Error('the platform did not start');
}
