import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program of another vendor that lives no longer than this process does, whatever this one dies of. */
export interface GuardedProcess {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** A directory of its own, removed with it. */
  readonly directory: string;
  readonly exited: Promise<void>;
  hasExited(): boolean;
  /** Null while it runs, and when a signal ended it. */
  exitCode(): number | null;
  /** All that it and its children wrote. */
  output(): string;
  /** Asks it to end, ends it after a grace, removes its directory. Harmless when it has gone. */
  stop(): Promise<void>;
}

export interface GuardedCommand {
  readonly program: string;
  /** Made when the directory is known. */
  readonly args: (directory: string) => readonly string[];
  readonly workingDirectory?: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Where its output goes, to stay when the process has gone; else into its directory. */
  readonly outputPath?: string;
  /** Ends it from outside, for a program that is only a client of what it runs. */
  readonly endCommand?: readonly string[];
}

const STOP_GRACE_MS = 5_000;
const OUTPUT_FILE = 'output.log';

/**
 * Its output goes to a file, so that it never waits for a busy reader, and it is the leader of a process group: a Ctrl-C in the
 * terminal is for us, who end it when what uses it has ended.
 */
export function startGuarded(command: GuardedCommand): GuardedProcess {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-emulator-'));
  const outputPath = command.outputPath ?? join(directory, OUTPUT_FILE);
  const child = spawnInto(outputPath, command, directory);
  const group = child.pid;
  const guard = group === undefined ? undefined : startGuard({ ...command, group, directory });
  const hasExited = (): boolean =>
    child.exitCode !== null || child.signalCode !== null || group === undefined;
  const endNow = (): void => {
    if (guard?.pid !== undefined) killGroup(guard.pid, 'SIGKILL');
    if (group !== undefined && !hasExited()) killGroup(group, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', endNow);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    pid: group,
    directory,
    exited,
    hasExited,
    exitCode: () => child.exitCode,
    output: () => readFileSync(outputPath, 'utf8'),
    stop: async () => {
      if (group !== undefined && !hasExited()) await endGently(child, { ...command, group, exited });
      process.removeListener('exit', endNow);
      endNow();
    },
  };
}

function spawnInto(
  outputPath: string,
  { program, args, workingDirectory, environment }: GuardedCommand,
  directory: string,
): ChildProcess {
  const output = openSync(outputPath, 'a');
  try {
    const child = spawn(program, args(directory), {
      cwd: workingDirectory ?? directory,
      env: environment,
      stdio: ['ignore', output, output],
      detached: true,
    });
    // It must not keep us alive: our exit ends it.
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

interface Group {
  readonly group: number;
  readonly directory: string;
  readonly endCommand?: readonly string[];
}

/** A shell that waits for the end of its input, which comes when we die, even of SIGKILL. */
function startGuard({ group, directory, endCommand = ['true'] }: Group): ChildProcess {
  const script = 'cat >/dev/null; kill -s KILL -- "-$1"; rm -rf -- "$2"; shift 2; "$@"';
  const guard = spawn('sh', ['-c', script, 'guard', String(group), directory, ...endCommand], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.on('error', () => undefined);
  guard.unref();
  if (guard.stdin && 'unref' in guard.stdin) (guard.stdin as { unref(): void }).unref();
  return guard;
}

async function endGently(
  child: ChildProcess,
  { group, exited, endCommand }: { group: number; exited: Promise<void>; endCommand?: readonly string[] },
): Promise<void> {
  child.ref();
  killGroup(group, 'SIGTERM');
  const [program, ...args] = endCommand ?? [];
  if (program !== undefined) spawn(program, args, { stdio: 'ignore' }).on('error', () => undefined);
  const timer = setTimeout(() => killGroup(group, 'SIGKILL'), STOP_GRACE_MS);
  await exited;
  clearTimeout(timer);
}

function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It has gone already.
  }
}
