import { fork, type ChildProcess } from 'node:child_process';
import type { Scheduler } from '#infra/scheduler.ts';

/** A process that must run as long as its supervisor does. */
export interface Supervised {
  readonly name: string;
  readonly modulePath: string;
  /** Asked for at each start. */
  readonly arguments: () => readonly string[];
  readonly nodeOptions?: readonly string[];
  /** Beside the supervisor's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Everything it says over its channel but that it is ready and why it cannot go on. */
  readonly onMessage?: (message: object) => void;
  /** It runs, for the first time or again, under this process id. What it says with it is its own. */
  readonly onReady?: (message: object, pid: number) => void;
  /** It ended by itself and will be started again. */
  readonly onEnd?: (end: UnexpectedEnd) => void;
}

export interface UnexpectedEnd {
  /** In words: what it said itself, or its exit code or signal. */
  readonly how: string;
  readonly startsAgainInMs: number;
}

export interface SupervisedProcess {
  /** Of the process that runs now; undefined while there is none. */
  readonly pid: number | undefined;
  /** Best effort: what is sent while no process runs is gone. */
  send(message: object): void;
  /** Resolves when it is ready for the first time; rejects when it ends before, and then it is not started again. */
  readonly ready: Promise<void>;
  /** Asks it to stop with SIGTERM; kills it if it has not after `graceMs`. Resolves when it is gone for good. */
  stop(graceMs: number): Promise<void>;
  /** SIGKILL, for whoever waits no longer. */
  kill(): void;
}

/** What a process says over its channel, beside whatever is its own: that it is ready, or in words why it cannot go on. */
interface Said {
  readonly ready?: true;
  readonly fault?: string;
}

const RESTART_MS = 500;
const RESTART_MAX_MS = 30_000;
/** A process that ran so long was well: the next restart is quick again. */
const WELL_MS = 60_000;

interface Supervision {
  readonly supervised: Supervised;
  readonly stopping: AbortController;
  readonly becomeReady: () => void;
  child: ChildProcess | undefined;
  wasReady: boolean;
}

/**
 * Starts a process and starts it again whenever it ends by itself, at growing intervals. It is a group of its own, so that Ctrl-C reaches
 * the supervisor alone and the order of stopping is the supervisor's; it is expected to end by itself when the supervisor's channel closes.
 */
export function supervise(supervised: Supervised, scheduler: Scheduler): SupervisedProcess {
  const first = Promise.withResolvers<undefined>();
  const supervision: Supervision = {
    supervised,
    stopping: new AbortController(),
    becomeReady: () => first.resolve(undefined),
    child: undefined,
    wasReady: false,
  };
  // Whoever stops it before it is ready need not ask how that went.
  first.promise.catch(() => undefined);
  const running = keepRunning(supervision, scheduler).then((how) =>
    first.reject(new Error(`${supervised.name} could not start: ${how}`)),
  );
  return {
    get pid() {
      return supervision.child?.pid;
    },
    ready: first.promise,
    send: (message) => send(supervision.child, message),
    stop: (graceMs) => stop(supervision, running, { scheduler, graceMs }),
    kill: () => {
      supervision.stopping.abort();
      supervision.child?.kill('SIGKILL');
    },
  };
}

/** Resolves, with how the last one ended, once there will be no other. */
async function keepRunning(supervision: Supervision, scheduler: Scheduler): Promise<string> {
  const { supervised, stopping } = supervision;
  for (let delayMs = RESTART_MS; ; delayMs = Math.min(delayMs * 2, RESTART_MAX_MS)) {
    const startedAt = scheduler.now();
    const how = await runOnce(supervision);
    if (stopping.signal.aborted || !supervision.wasReady) return how;
    if ((scheduler.now() - startedAt) / 1_000 > WELL_MS) delayMs = RESTART_MS;
    supervised.onEnd?.({ how, startsAgainInMs: delayMs });
    await scheduler.sleep(delayMs, stopping.signal);
    if (stopping.signal.aborted) return how;
  }
}

/** Resolves with how the process ended, in words. */
async function runOnce(supervision: Supervision): Promise<string> {
  const { supervised } = supervision;
  const child = start(supervised);
  supervision.child = child;
  let fault: string | undefined;
  child.on('message', (message: Said) => {
    if (message.fault !== undefined) fault = message.fault;
    else if (message.ready === true) {
      supervision.wasReady = true;
      supervision.becomeReady();
      supervised.onReady?.(message, child.pid ?? -1);
    } else supervised.onMessage?.(message);
  });
  const how = await endOf(child);
  supervision.child = undefined;
  return fault ?? how;
}

const start = ({
  modulePath,
  arguments: given,
  nodeOptions = [],
  environment = {},
}: Supervised): ChildProcess =>
  fork(modulePath, given(), {
    env: { ...process.env, ...environment },
    execArgv: ['--disable-warning=ExperimentalWarning', ...nodeOptions],
    detached: true,
  });

/** Once its channel is closed as well: what it said at its end has then been heard. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${String(code)}`));
    child.on('error', (error) => {
      // An error of a process that runs is one of its channel, and its end is still to come.
      if (child.pid === undefined) resolve(error.message);
    });
  });
}

function send(child: ChildProcess | undefined, message: object): void {
  // The answer is not awaited: a process that dies meanwhile is its supervisor's own concern.
  if (child?.connected === true) child.send(message, () => undefined);
}

async function stop(
  { stopping, child }: Supervision,
  running: Promise<void>,
  { scheduler, graceMs }: { readonly scheduler: Scheduler; readonly graceMs: number },
): Promise<void> {
  stopping.abort();
  child?.kill('SIGTERM');
  const gone = new AbortController();
  const patience = scheduler.sleep(graceMs, gone.signal).then(() => {
    if (!gone.signal.aborted) child?.kill('SIGKILL');
  });
  await running;
  gone.abort();
  await patience;
}
