import type { Database } from '#infra/database/database.ts';
import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import type { ReadWarehouse } from '#pipelines/recount/read-events.ts';
import { openBatchStores } from '#pipelines/batch/open-stores.ts';
import { createRuntimeRegistry } from '#pipelines/beam/runtime-registry.ts';
import { onWorkerEnd } from '#pipelines/beam/worker-end.ts';

/** What the batch graphs' DoFns work with on the machine they run on. */
export interface BatchRuntime {
  readonly database: Database;
  readonly warehouse: ReadWarehouse;
  readonly scheduler: Scheduler;
}

export const batchRuntimes = createRuntimeRegistry<BatchRuntime>();

/** The runtime of a worker process: the stores that its environment names. */
export const WORKER_RUNTIME = 'worker';

let opening: Promise<BatchRuntime> | undefined;

/** The runtime of that name; the one of the worker is opened when it is first asked for, and closed when the worker ends. */
export async function batchRuntime(name: string): Promise<BatchRuntime> {
  if (name !== WORKER_RUNTIME) return batchRuntimes.named(name);
  opening ??= openWorkerRuntime();
  // A store that could not be opened is tried again by the next bundle.
  opening.catch(() => (opening = undefined));
  return opening;
}

async function openWorkerRuntime(): Promise<BatchRuntime> {
  const scheduler = systemScheduler;
  const stores = await openBatchStores({ environment: process.env, clock: scheduler.now });
  onWorkerEnd(() => stores.close());
  const { database, warehouse } = stores;
  return { database, warehouse, scheduler };
}
