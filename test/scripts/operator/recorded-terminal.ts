import { Readable } from 'node:stream';
import type { Invocation, Terminal } from '../../../scripts/operator/terminal.ts';

/** A terminal that keeps what is written to it. */
export interface RecordedTerminal extends Terminal {
  readonly written: () => string;
  readonly noted: () => string;
}

export function recordedTerminal(): RecordedTerminal {
  const [out, notes]: [string[], string[]] = [[], []];
  return {
    out: (text) => void out.push(text),
    write: async (text) => void out.push(text),
    progress: () => ({ update: () => undefined, end: () => undefined }),
    note: (text) => void notes.push(text),
    written: () => out.join(''),
    noted: () => notes.join(''),
  };
}

/** A command as it is called in a directory, with nothing on its standard input unless it is given. */
export function invocation(directory: string, args: readonly string[], input = '') {
  const terminal = recordedTerminal();
  return {
    args,
    environment: { MILLRACE_DATA_DIR: directory },
    terminal,
    input: () => Readable.from([input]),
  } satisfies Invocation;
}
