import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { createLimitMemory } from '#infra/entitlements/foreseen-limits.ts';
import type { OpenedFeed } from '#infra/stores/opened-stores.ts';
import type { UsageRuntime } from '#pipelines/usage/runtime.ts';
import type { PortableWorkerOptions } from './portable-worker.ts';

/** Commit shards have one writer each, so that all workers share one slot of the hour cells; two jobs that overlap only wait for each other. */
const SLOT = 0;

/** What the feeds of a worker commit with; `topic` is what they are acknowledged by. They share what the process remembers. */
export function commitRuntimes({
  stores: { database, warehouse },
  scheduler,
  counters,
  rowsPerCommitMax,
}: PortableWorkerOptions): (
  feed: Pick<OpenedFeed, 'feed' | 'rule'>,
  topic: UsageRuntime['topic'],
) => UsageRuntime {
  const catalogues = createCatalogues(database);
  const limitMemory = createLimitMemory();
  return ({ feed, rule }, topic) => ({
    commit: { database, catalogues, feed, slot: SLOT, clock: scheduler.now, limitMemory },
    namespaces: rule,
    ...{ topic, warehouse, counters },
    ...(rowsPerCommitMax === undefined ? {} : { rowsPerCommitMax }),
  });
}
