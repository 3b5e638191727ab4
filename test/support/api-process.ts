import { join } from 'node:path';
import { startChild, type Child } from './child-process.ts';
import { eventually } from './eventually.ts';

const PROGRAM = join(import.meta.dirname, '../../api/main.ts');

interface Said {
  readonly ready?: true;
  readonly url?: string;
}

/** The API as a process of its own, on the embedded stores below a directory; any number may run on them. */
export interface ApiProcess extends Child {
  /** Where it listens. Resolves when it does; rejects, with what it said, when it ends before. */
  readonly ready: Promise<string>;
}

export interface ApiProcessOptions {
  readonly directory: string;
  readonly logLevel?: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  readonly graceSeconds?: number;
}

export function startApiProcess({
  directory,
  logLevel = 'warn',
  graceSeconds = 10,
}: ApiProcessOptions): ApiProcess {
  const child = startChild(PROGRAM, [
    `--directory=${directory}`,
    '--port=0',
    `--log-level=${logLevel}`,
    `--grace-seconds=${graceSeconds}`,
  ]);
  let url = '';
  child.process.on('message', (said: Said) => {
    if (said.ready === true) url = said.url ?? '';
  });
  const listens = (): boolean => {
    if (url === '' && child.hasExited()) throw new Error(`the API has ended\n${child.errorText()}`);
    return url !== '';
  };
  const ready = eventually('the API listens', listens, { explain: child.errorText }).then(() => url);
  // Whoever kills it before it is ready does not wait for it.
  ready.catch(() => undefined);
  return { ...child, ready };
}
