import { measureFreshness } from '#pipelines/demo/freshness.ts';
import { openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';

/** Publishes steadily to the topic, in a process of its own so that it does not hold up whoever measures; says how fresh its events were. */
const [directory = '', eventsPerSecond = '0', seconds = '0'] = process.argv.slice(2);
const stores = await openLocal({ directory, clock: systemScheduler.now });
const freshness = await measureFreshness(stores, {
  eventsPerSecond: Number(eventsPerSecond),
  seconds: Number(seconds),
});
process.stdout.write(JSON.stringify(freshness));
await stores.close();
