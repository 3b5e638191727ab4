import { join } from 'node:path';
import { startChild, type Child } from './child-process.ts';
import { eventually } from './eventually.ts';

const PROGRAM = join(import.meta.dirname, '../../infra/local/start/main.ts');

/** What `npm start` says to its parent. */
interface Said {
  readonly ready?: true;
  readonly url?: string;
  readonly secret?: string;
  readonly runs?: 'api' | 'pipeline';
  readonly pid?: number;
}

/** The platform as `npm start` runs it, with its two processes. */
export interface ServerProcess extends Child {
  /** Resolves when it takes requests; rejects, with what it said, when it ends before. */
  readonly ready: Promise<{
    readonly url: string;
    /** Of the development key, when one was made. */ readonly secret: string;
  }>;
  /** The processes of each kind so far, the one that runs now last. */
  readonly pids: Readonly<Record<'api' | 'pipeline', readonly number[]>>;
  /** Kills the process that runs now, and resolves when another has taken its place. */
  replace(name: 'api' | 'pipeline'): Promise<void>;
}

export interface ServerOptions {
  readonly directory: string;
  /** A free one unless it is given. */
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it is started from: another copy of the code, such as an image. */
  readonly program?: string;
}

export function startServer({
  directory,
  port = 0,
  environment = {},
  program = PROGRAM,
}: ServerOptions): ServerProcess {
  const child = startChild(program, [], {
    environment: { MILLRACE_DATA_DIR: directory, MILLRACE_PORT: String(port), ...environment },
    keepOutput: true,
  });
  const pids = { api: [] as number[], pipeline: [] as number[] };
  let answer: { url: string; secret: string } | undefined;
  child.process.on('message', ({ ready, url = '', secret = '', runs, pid = -1 }: Said) => {
    if (ready) answer = { url, secret };
    if (runs) pids[runs].push(pid);
  });
  const explain = (): string => `${child.outputText()}\n${child.errorText()}`;
  const awaited = (what: string, condition: () => boolean): Promise<void> =>
    eventually(
      `the server ${what}`,
      () => {
        if (condition()) return true;
        if (child.hasExited()) throw new Error(`the server has ended\n${explain()}`);
        return false;
      },
      { explain },
    );
  const ready = awaited('is ready', () => answer !== undefined).then(() => answer ?? { url: '', secret: '' });
  // Whoever expects it to fail does not wait for it.
  ready.catch(() => undefined);
  return {
    ...child,
    ready,
    pids,
    replace: async (name) => {
      const count = pids[name].length;
      process.kill(pids[name].at(-1) ?? -1, 'SIGKILL');
      await awaited(`has another ${name}`, () => pids[name].length > count);
    },
  };
}
