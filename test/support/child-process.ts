import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';

/** What a child says is kept up to this length, for the message of a failing test. */
const KEPT_TEXT = 64 * 1_024;

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
  /** The end of what it wrote to standard output, where that is kept. */
  outputText(): string;
  /** SIGKILL: it gets no chance to tidy up. Harmless once it has gone. */
  kill(): Promise<Exit>;
  /** Asks it to stop, and resolves when it has. */
  stop(): Promise<Exit>;
}

export interface ChildOptions {
  /** Beside the test's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Keeps what it writes to standard output, which else goes where the test's own goes. */
  readonly keepOutput?: boolean;
}

export function startChild(
  program: string,
  args: readonly string[],
  { environment = {}, keepOutput = false }: ChildOptions = {},
): Child {
  const child = asWhoWeAre((uid) =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
      stdio: ['ignore', keepOutput ? 'pipe' : 'inherit', 'pipe', 'ipc'],
      env: { ...process.env, ...environment },
      ...uid,
    }),
  );
  const [errorText, outputText] = [kept(child.stderr), kept(child.stdout)];
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
    errorText,
    outputText,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

/** The end of what a stream of text brings. */
function kept(stream: Readable | null): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (more: string) => {
    text = (text + more).slice(-KEPT_TEXT);
  });
  return () => text;
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
