import { measureFreshness, type FreshnessMillis } from '#pipelines/demo/freshness.ts';
import { startPipeline } from '#pipelines/demo/pipeline-process.ts';
import { openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';

const EVENTS_PER_SECOND = 5_000;
const SECONDS = 15;

/** Publishes steadily beside a pipeline process of its own: publish time to commit time, from the warehouse's rows. */
export async function measureFreshnessAt(directory: string): Promise<FreshnessMillis> {
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  const pipeline = await startPipeline({ directory, latenessSeconds: 3_600, ackDeadlineSeconds: 60 });
  try {
    return await measureFreshness(stores, { eventsPerSecond: EVENTS_PER_SECOND, seconds: SECONDS });
  } finally {
    await pipeline.stop();
    await stores.close();
  }
}
