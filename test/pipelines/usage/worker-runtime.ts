// Loaded by name in the worker process: gives the sink its stores there, as a deployment's own start-up module does.
import { LOCAL_FEEDS, localCommitContext, openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { register } from '#pipelines/beam/registration.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import { usageRuntimes } from '#pipelines/usage/runtime.ts';

export const RUNTIME_NAME = 'usage-worker';
export const DIRECTORY_VARIABLE = 'MILLRACE_TEST_WORKER_DIRECTORY';

const directory = process.env[DIRECTORY_VARIABLE];
if (directory !== undefined) {
  const { database, topic, warehouse } = await openLocal({ directory, clock: systemScheduler.now });
  const commit = localCommitContext(database, systemScheduler.now);
  const namespaces = LOCAL_FEEDS.usage.rule;
  usageRuntimes.provide(RUNTIME_NAME, { commit, namespaces, topic, warehouse, counters: emptyCounters() });
}

register('millrace/test/pipelines/usage/worker-runtime', {});
