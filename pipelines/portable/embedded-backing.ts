import { openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { joinAlone } from './alone.ts';
import type { Backing } from './backing.ts';
import { readEmbedded } from './worker-variables.ts';

/** Any number of worker processes may open the embedded stores; their topics tell each handle what is acknowledged by all. */
export async function openEmbedded(environment: NodeJS.ProcessEnv): Promise<Backing> {
  const { directory, ackDeadlineSeconds } = readEmbedded(environment);
  const stores = await openLocal({ directory, clock: systemScheduler.now, ackDeadlineSeconds });
  return {
    ...{ stores, ackDeadlineSeconds },
    openSources: async () => ({ feeds: stores.feeds, close: async () => undefined }),
    join: joinAlone,
    batchArgs: [`--directory=${directory}`],
  };
}
