import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ApiProcess {
  readonly url: string;
  /** Requests in hand are answered first. */
  stop(): Promise<void>;
}

/** Started by its path: the pipelines import nothing of the API. */
const PROGRAM = fileURLToPath(new URL('../../api/main.ts', import.meta.url));

/** What tells the API where its stores are. */
export interface ApiSetUp {
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the API on a free port of the loopback interface, as a process of its own; it ends with this one. Throws when it cannot. */
export async function startApi({ arguments: given, environment = {} }: ApiSetUp): Promise<ApiProcess> {
  const child = fork(PROGRAM, [...given, '--host=127.0.0.1', '--port=0', '--log-level=error'], {
    env: { ...process.env, ...environment },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    child.on('message', ({ url, fault }: { url?: string; fault?: string }) => {
      if (url !== undefined) resolve(url);
      if (fault !== undefined) reject(new Error(`the API could not start: ${fault}`));
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`the API ended with code ${String(code)} before it was ready`)),
    );
  });
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
