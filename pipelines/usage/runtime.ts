import type { CommitContext } from '#infra/usage/commit.ts';
import type { NamespaceRule } from '#infra/usage/feed.ts';
import type { Topic } from '#infra/topic/topic.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { createRuntimeRegistry } from '#pipelines/beam/runtime-registry.ts';
import type { UsageCounters } from './counters.ts';

/** What a sink works with. */
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

/** A worker provides its runtime when it starts, a runner before it builds the graph. */
export const usageRuntimes = createRuntimeRegistry<UsageRuntime>();
