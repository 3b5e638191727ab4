import { once } from 'node:events';
import { progressBar, type ProgressBar } from './progress-bar.ts';

/** Where a command writes: answers to standard output, so that they can be piped on; everything else beside it. */
export interface Terminal {
  out(text: string): void;
  /** The same for much: resolves when there is room for more. */
  write(text: string): Promise<void>;
  note(text: string): void;
  progress(label: string): ProgressBar;
}

const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  write: async (text) => {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  },
  note: (text) => void process.stderr.write(text),
  progress: progressBar,
};

/** What a command was given and where it writes. */
export interface Invocation {
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  /** Standard input, from when on it is asked for. */
  readonly input: () => NodeJS.ReadableStream;
}

/** A command was called in a way it does not know; its help follows the message. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const ENDED_BY_SIGNAL = 130;

/** Runs a command as the process that it is. Exit code 0; 130 when it was told to end; 1 when it failed, with what was wrong and no trace of the stack. */
export async function runCommand(
  command: (invocation: Invocation) => Promise<void>,
  help: string,
): Promise<void> {
  const { argv, env: environment } = process;
  // So that what has to be tidied up at the exit is.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => process.exit(ENDED_BY_SIGNAL));
  try {
    await command({
      args: argv.slice(2),
      environment,
      terminal: processTerminal,
      input: () => process.stdin,
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${message}\n${isUsage(error) ? `\n${help}\n` : ''}`);
    process.exitCode = 1;
  }
}

/** `parseArgs` of Node names its errors so. */
const isUsage = (error: unknown): boolean =>
  error instanceof UsageError ||
  (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_'));
