import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { workersBelow } from '#infra/engines/worker-processes.ts';

const PROGRAM = fileURLToPath(new URL('../portable/main.ts', import.meta.url));

/** The part of a status that the demo goes by, as `npm run pipeline -- --json` tells it. */
const statusSchema = z.object({
  event: z.literal('status'),
  state: z.string(),
  restarts: z.number(),
  workers: z.number().optional(),
  page: z.string().optional(),
});

export type ToldStatus = z.output<typeof statusSchema>;

/** `npm run pipeline` as a process of its own, with the engine that it has started. */
export interface PortableProcess {
  /** As last told; undefined before the first. */
  readonly status: ToldStatus | undefined;
  readonly isRunning: boolean;
  /** The worker processes that live. */
  workers(): Promise<readonly number[]>;
  /** Ends the job and the engine. Throws when that has failed. */
  stop(): Promise<void>;
}

/** Starts it; it ends with this process. What it says goes to standard error, what it logs there as well. */
export function startPortable(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): PortableProcess {
  const child = fork(PROGRAM, [...args, '--json'], {
    env: { ...process.env, ...environment },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  let status: ToldStatus | undefined;
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = statusIn(line);
      if (told === undefined) process.stderr.write(`${line}\n`);
      else status = told;
    });
  return {
    get status() {
      return status;
    },
    get isRunning() {
      return isAlive(child);
    },
    workers: async () => (child.pid === undefined ? [] : ((await workersBelow([child.pid])) ?? [])),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      if (child.exitCode !== 0)
        throw new Error(`the pipeline ended with ${String(child.exitCode ?? child.signalCode)}`);
    },
  };
}

const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

/** Undefined for a line of its log. */
function statusIn(line: string): ToldStatus | undefined {
  if (!line.startsWith('{"event":"status"')) return undefined;
  return statusSchema.parse(JSON.parse(line));
}
