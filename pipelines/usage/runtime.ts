import type { CommitContext } from '#infra/usage/commit.ts';
import type { NamespaceRule } from '#infra/usage/feed.ts';
import type { Topic } from '#infra/topic/topic.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import type { UsageCounters } from './counters.ts';

/** What a sink works with on the machine it runs on. DoFns are sent by value, so they carry only the name under which to find it. */
export interface UsageRuntime {
  readonly commit: CommitContext;
  /** Whose the messages of the feed are. */
  readonly namespaces: NamespaceRule;
  readonly topic: Topic;
  readonly warehouse: Warehouse;
  readonly counters: UsageCounters;
  /** What one commit may write, before folding; the bound of the embedded store where it is absent. */
  readonly rowsPerCommitMax?: number;
}

const runtimes = new Map<string, UsageRuntime>();

/** Makes a runtime known in this process. A worker does it when it starts, the embedded runner before it builds the graph. */
export function provideRuntime(name: string, runtime: UsageRuntime): void {
  if (runtimes.has(name)) throw new Error(`the runtime ${name} is provided already`);
  runtimes.set(name, runtime);
}

export const withdrawRuntime = (name: string): void => void runtimes.delete(name);

export function runtimeNamed(name: string): UsageRuntime {
  const runtime = runtimes.get(name);
  if (runtime === undefined)
    throw new Error(`no runtime ${name} in this process: provide it before the pipeline runs`);
  return runtime;
}
