import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { processesBelow, workersBelow } from '#infra/engines/worker-processes.ts';
import type { PipelineStatus } from '#pipelines/portable/pipeline-status.ts';
import { startChild, type Child } from './child-process.ts';
import { eventually } from './eventually.ts';

const PROGRAM = join(import.meta.dirname, '../../pipelines/portable/main.ts');
const SHOWN_CHARACTERS = 4_000;
/** An engine, its job and its workers start anew, on a machine that may have much else to do. */
const PATIENCE_MS = 300_000;

/** As `--json` tells it. */
export type ToldStatus = Omit<PipelineStatus, 'at'>;

/** `npm run pipeline` as a process of its own, with the engine that it has started. */
export interface PortableProcess extends Child {
  /** As last told; undefined before the first. */
  status(): ToldStatus | undefined;
  /** Resolves when it tells a status for which the condition holds; rejects, with what it said, when it ends before. */
  until(what: string, condition: (status: ToldStatus) => boolean): Promise<void>;
  /** Its worker processes that live. */
  workers(): Promise<readonly number[]>;
  /** The processes that it or its engine has started whose command line has this part. */
  below(part: string): Promise<readonly number[]>;
  /** What it and its engine said lately. */
  explain(): string;
}

/** In the environment of the emulators of a suite, on a free health port. */
export function startPortable(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): PortableProcess {
  const child = startChild(PROGRAM, [...args, '--json'], {
    keepOutput: true,
    environment: {
      MILLRACE_LOG_LEVEL: 'warn',
      MILLRACE_HEALTH_HOST: '127.0.0.1',
      MILLRACE_HEALTH_PORT: '0',
      ...environment,
    },
  });
  let last: ToldStatus | undefined;
  // The supervisor logs to the same stream as it tells: what is no status is no line of ours.
  createInterface({ input: child.process.stdout! }).on('line', (line) => (last = statusIn(line) ?? last));
  const explain = (): string =>
    `${JSON.stringify(last)}\n${child.errorText().slice(-SHOWN_CHARACTERS)}\n${child
      .outputText()
      .split('\n')
      .filter((line) => line !== '' && statusIn(line) === undefined)
      .join('\n')
      .slice(-SHOWN_CHARACTERS)}`;
  return {
    ...child,
    status: () => last,
    until: (what, condition) =>
      eventually(
        what,
        () => {
          if (child.hasExited()) throw new Error(`the pipeline has ended before ${what}\n${explain()}`);
          return last !== undefined && condition(last);
        },
        { explain, patienceMs: PATIENCE_MS },
      ),
    workers: async () => (await workersBelow([child.pid])) ?? [],
    below: async (part) => (await processesBelow([child.pid], part)) ?? [],
    explain,
  };
}

function statusIn(line: string): ToldStatus | undefined {
  if (!line.startsWith('{"event":"status"')) return undefined;
  return JSON.parse(line) as ToldStatus;
}
