import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** What a child says on standard error is kept up to this length, for the message of a failing test. */
const KEPT_ERROR_TEXT = 64 * 1_024;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program of ours that runs as a process of its own, with a channel to the test. */
export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  hasExited(): boolean;
  /** The end of what it wrote to standard error. */
  errorText(): string;
  /** SIGKILL: it gets no chance to tidy up. Harmless once it has gone. */
  kill(): Promise<Exit>;
  /** Asks it to stop, and resolves when it has. */
  stop(): Promise<Exit>;
}

export function startChild(program: string, args: readonly string[]): Child {
  const child = asWhoWeAre((uid) =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      ...uid,
    }),
  );
  let errorText = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorText = (errorText + text).slice(-KEPT_ERROR_TEXT);
  });
  const exited = new Promise<Exit>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  // A message to a process that has just died is lost with it: its exit tells the test.
  child.on('error', () => undefined);
  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = (signal: NodeJS.Signals): Promise<Exit> => {
    if (!hasExited()) child.kill(signal);
    return exited;
  };
  return {
    process: child,
    pid: child.pid ?? -1,
    exited,
    hasExited,
    errorText: () => errorText,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

/** A superuser that acts as somebody else starts its children as somebody else through and through. */
function asWhoWeAre<Result>(act: (uid: { uid?: number }) => Result): Result {
  const acting = process.geteuid?.();
  if (acting === undefined || acting === process.getuid?.()) return act({});
  process.seteuid?.(0);
  try {
    return act({ uid: acting });
  } finally {
    process.seteuid?.(acting);
  }
}
