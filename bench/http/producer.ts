import { once } from 'node:events';
import { measureFreshness } from '#pipelines/demo/freshness.ts';
import type { SteadyLoad } from '#pipelines/demo/backing.ts';
import { openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';

/**
 * Publishes steadily to the topic, in a process of its own so that it does not hold up whoever measures. It says when it is ready, begins
 * once it is told the load, and says at the end how fresh its events were.
 */
const [directory = ''] = process.argv.slice(2);
const stores = await openLocal({ directory, clock: systemScheduler.now });
process.send?.({ ready: true });
const [load] = (await once(process, 'message')) as [SteadyLoad];
process.send?.({ freshness: await measureFreshness(stores, load) });
await stores.close();
process.disconnect();
