import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Database } from '#infra/database/database.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { Errand } from '#pipelines/runner/errand.ts';
import type { Log } from '#pipelines/runner/log.ts';
import { hasOpenWork } from './open-work.ts';

const PROGRAM = fileURLToPath(new URL('main.ts', import.meta.url));
const LOOK_EVERY_MS = 1_000;
/** What could not be done is tried again after so long. */
const RETRY_MICROS = 30_000_000;

export interface BatchErrandOptions {
  readonly database: Database;
  readonly scheduler: Scheduler;
  readonly log: Log;
  /** What the process is given. */
  readonly args: readonly string[];
  /** Beside the variables of this one. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Whoever runs it stops it at the end: what it has started goes on in the next process. */
export interface BatchErrand extends Errand {
  stop(): Promise<void>;
}

/**
 * Looks for batch work and starts a process for it, one at a time: it must not take the event loop from a stream that commits. The process ends
 * with its work, or when this one is gone.
 */
export function batchErrand({
  database,
  scheduler,
  log,
  args,
  environment = {},
}: BatchErrandOptions): BatchErrand {
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();
  let notBefore = 0;
  const start = (): void => {
    const started = fork(PROGRAM, [...args], {
      env: { ...process.env, ...environment },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child = started;
    log.info({ pid: started.pid }, 'batch work is open: a process does it');
    ended = new Promise((resolve) => {
      const end = (code: number | null): void => {
        if (child !== started) return;
        child = undefined;
        if (code !== 0) notBefore = scheduler.now() + RETRY_MICROS;
        resolve();
      };
      started.once('exit', end);
      started.once('error', () => end(1));
    });
  };
  return {
    everyMs: LOOK_EVERY_MS,
    run: async () => {
      if (child === undefined && scheduler.now() >= notBefore && (await hasOpenWork(database))) start();
    },
    stop: async () => {
      child?.kill('SIGTERM');
      await ended;
    },
  };
}
