import { mkdirSync } from 'node:fs';
import { runHandWrittenLoop } from './hand-written-loop.ts';
import { checkWorkload, commitWorkload, publishWorkload } from './ingest.ts';
import { startMeasuring } from './measure.ts';
import { makeWorkload } from './workload.ts';

/**
 * One measurement in a process of its own, so that none inherits the heap or the compiled code of another. The task comes as JSON in the
 * first argument; the figures go to standard output as JSON.
 */
export interface Task {
  readonly task: 'parse' | 'loop' | 'publish' | 'commit' | 'check';
  readonly directory: string;
  readonly events: number;
  readonly subjects: number;
  /** The end of the workload's day, so that every process makes the same one. */
  readonly now: number;
  readonly preloaded?: number;
  readonly counted?: boolean;
  readonly batchMessagesMax?: number;
}

const task = JSON.parse(process.argv[2] ?? '{}') as Task;
mkdirSync(task.directory, { recursive: true });
process.stdout.write(JSON.stringify((await run(task)) ?? null));

async function run({
  task: name,
  directory,
  events,
  preloaded = 0,
  counted = false,
  ...rest
}: Task): Promise<unknown> {
  switch (name) {
    case 'commit':
      return commitWorkload(directory, {
        messages: events,
        counted,
        batchMessagesMax: rest.batchMessagesMax,
      });
    case 'publish':
      return publishWorkload(directory, makeWorkload({ events, ...rest }), preloaded);
    case 'check':
      return checkWorkload(directory, makeWorkload({ events, ...rest }));
    case 'loop':
      return runHandWrittenLoop(directory, makeWorkload({ events, ...rest }));
    case 'parse': {
      const { lines } = makeWorkload({ events, ...rest });
      const stop = startMeasuring();
      for (const line of lines) JSON.parse(line);
      return stop();
    }
  }
}
