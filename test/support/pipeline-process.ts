import { join } from 'node:path';
import { emptyCounters, type UsageCounters } from '#pipelines/usage/counters.ts';
import { startChild, type Child } from './child-process.ts';
import { eventually } from './eventually.ts';

const PROGRAM = join(import.meta.dirname, '../../pipelines/embedded/main.ts');
/** The least that the program takes: what a killed worker held comes back soonest. */
const ACK_DEADLINE_SECONDS = 10;

interface Report {
  readonly ready?: true;
  readonly counters?: UsageCounters;
}

/** The embedded usage pipeline as a process of its own. */
export interface PipelineProcess extends Child {
  readonly worker: string;
  isReady(): boolean;
  /** Resolves when it pulls; rejects, with what it said, when it ends before. */
  readonly ready: Promise<void>;
  /** As last reported: behind by up to a quarter of a second. */
  counters(): UsageCounters;
  /** Resolves once its log has these words so many times; rejects when it ends before. */
  says(words: string, times: number): Promise<void>;
  /** Resolves after so many further reports, or when it has ended. */
  reports(count: number): Promise<void>;
  /** Resolves once its counters satisfy the condition; rejects when it ends before. */
  until(what: string, condition: (counters: UsageCounters) => boolean): Promise<void>;
}

export interface PipelineOptions {
  readonly directory: string;
  readonly worker: string;
  readonly batchMessagesMax?: number;
}

export function startPipeline({ directory, worker, batchMessagesMax }: PipelineOptions): PipelineProcess {
  const child = startChild(PROGRAM, [
    `--directory=${directory}`,
    `--worker=${worker}`,
    `--ack-deadline-seconds=${ACK_DEADLINE_SECONDS}`,
    '--log-level=warn',
    ...(batchMessagesMax === undefined ? [] : [`--batch-messages-max=${batchMessagesMax}`]),
  ]);
  let counters = emptyCounters();
  let isReady = false;
  let reported = 0;
  child.process.on('message', (report: Report) => {
    if (report.ready) isReady = true;
    if (report.counters === undefined) return;
    counters = report.counters;
    reported++;
  });
  const awaited = (what: string, condition: () => boolean): Promise<void> =>
    eventually(
      `the pipeline ${worker} ${what}`,
      () => {
        if (condition()) return true;
        if (child.hasExited()) throw new Error(`the pipeline ${worker} has ended\n${child.errorText()}`);
        return false;
      },
      { explain: () => `${JSON.stringify(counters)}\n${child.errorText()}` },
    );
  const ready = awaited('is ready', () => isReady);
  // Whoever kills it before it is ready does not wait for it.
  ready.catch(() => undefined);
  return {
    ...child,
    worker,
    isReady: () => isReady,
    ready,
    counters: () => counters,
    says: (words, times) => {
      const lines = (): number =>
        child
          .errorText()
          .split('\n')
          .filter((line) => line.includes(words)).length;
      return awaited(`says "${words}" ${times} times`, () => lines() >= times);
    },
    reports: (count) => {
      const last = reported + count;
      return eventually(`the pipeline ${worker} has reported`, () => reported >= last || child.hasExited());
    },
    until: (what, condition) => awaited(what, () => condition(counters)),
  };
}
