import type { Planned } from './data-set.ts';
import { isRejected } from './expected.ts';
import type { PipelineProcess } from './pipeline-process.ts';

/** What counts the messages, whichever processes that takes, as the demo starts, kills and ends it. */
export interface DemoPipeline {
  readonly isRunning: boolean;
  /** How much of what went in it is done with, as far as is known by now. */
  done(): number;
  /** What `done` comes to when it is done with all of these. */
  toDo(messages: readonly Planned[]): number;
  /** As an operator's worst day: SIGKILL to a process of it, no warning, no clean-up. Resolves with what was killed, for a person. */
  kill(): Promise<string>;
  /** Resolves when it works again after that, with how that came about. */
  recover(): Promise<string>;
  /** What all its processes have taken; undefined where they are not ours to ask. */
  cost(): PipelineCost | undefined;
  /** Of one that is a job of an engine: which one that is, where it can be looked at, how often it was started again. */
  engine(): string | undefined;
  /** Lets the batch in hand end. */
  stop(): Promise<void>;
}

export interface PipelineCost {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** A pipeline that is one process at a time; after a kill another one is started. */
export async function pipelineOfProcesses(start: () => Promise<PipelineProcess>): Promise<DemoPipeline> {
  let current = await start();
  const all = [current];
  return {
    get isRunning() {
      return current.isRunning;
    },
    done: () => sumOver(all, ({ latest }) => latest?.counters.acknowledged_total ?? 0),
    // It counts what it has acknowledged, whatever became of that.
    toDo: (messages) => messages.filter((message) => !isRejected(message)).length,
    kill: async () => {
      await current.kill();
      return `the pipeline (SIGKILL, pid ${current.pid})`;
    },
    recover: async () => {
      current = await start();
      all.push(current);
      return 'another process went on';
    },
    cost: () => ({
      cpuSeconds: sumOver(all, ({ latest }) => microsOf(latest?.cpuMicros) / 1e6),
      residentBytes: current.latest?.residentBytes ?? 0,
    }),
    engine: () => undefined,
    stop: () => current.stop(),
  };
}

const sumOver = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

const microsOf = (usage: NodeJS.CpuUsage = { user: 0, system: 0 }): number => usage.user + usage.system;
