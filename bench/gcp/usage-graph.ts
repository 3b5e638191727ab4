import { putMeter } from '#infra/catalogue/put-meter.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { createLimitMemory } from '#infra/entitlements/foreseen-limits.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { ROWS_PER_COUNTED_COMMIT_MAX } from '#infra/usage/commit-bound.ts';
import type { Topic } from '#infra/topic/topic.ts';
import { runFeed } from '#pipelines/runner/run-feed.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import { countWork, type WorkCounts } from '../counting-database.ts';
import { startMeasuring, type Measured } from '../measure.ts';
import { WORKLOAD_METERS, type Workload } from '../workload.ts';
import type { FreshCloud } from './fresh-cloud.ts';

export const MESSAGES_PER_PUBLISH = 500;
const POLL_MS = 5;
const NAMESPACE = 'default';

export interface GraphRun extends Measured {
  readonly work: WorkCounts;
}

/**
 * Publishes the workload and runs the usage graph beside it, as one worker of a fleet does, until every message is committed, appended and acknowledged.
 * Throws where the totals are not the workload's.
 */
export async function runUsageGraph(
  { stores: { database, warehouse, feeds } }: FreshCloud,
  workload: Workload,
): Promise<GraphRun> {
  const [usage] = feeds;
  if (usage === undefined) throw new Error('there is no feed');
  for (const [key, definition] of Object.entries(WORKLOAD_METERS))
    await putMeter(database, { namespace: NAMESPACE, key, definition });
  const { database: counted, counts } = countWork(database);
  const counters = emptyCounters();
  const stopping = new AbortController();
  const commit = {
    ...{ database: counted, catalogues: createCatalogues(database), limitMemory: createLimitMemory() },
    ...{ feed: usage.feed, slot: 0, clock: systemScheduler.now },
  };
  const { rule: namespaces, topic } = usage;
  const runtime = { commit, namespaces, topic, warehouse, counters };
  const stop = startMeasuring();
  const running = runFeed(stopping.signal, {
    name: 'bench',
    runtime: { ...runtime, rowsPerCommitMax: ROWS_PER_COUNTED_COMMIT_MAX },
    ackDeadlineSeconds: 600,
    scheduler: systemScheduler,
    log: createLog('error'),
  });
  await publish(topic, workload);
  while (counters.acknowledged_total < workload.lines.length) await systemScheduler.sleep(POLL_MS);
  const measured = stop();
  stopping.abort();
  await running;
  if (counters.accepted_total !== workload.distinct)
    throw new Error(`${counters.accepted_total} events were accepted, of ${workload.distinct}`);
  await checkTotals({ stores: { warehouse } }, workload);
  return { ...measured, work: counts };
}

async function publish(topic: Topic, { lines }: Workload): Promise<void> {
  for (let at = 0; at < lines.length; at += MESSAGES_PER_PUBLISH)
    await topic.publish(
      lines.slice(at, at + MESSAGES_PER_PUBLISH).map((line) => ({ data: Buffer.from(line) })),
    );
}

/** The warehouse's count and total over everything equal the workload's own. Throws otherwise. */
export async function checkTotals(
  { stores: { warehouse } }: { readonly stores: Pick<FreshCloud['stores'], 'warehouse'> },
  { distinct, tokens }: Pick<Workload, 'distinct' | 'tokens'>,
): Promise<void> {
  const range = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
  const asked = { namespace: NAMESPACE, meter: 'tokens@1', aggregation: 'sum', value: 'tokens', ...range };
  let [events, total] = [0, 0n];
  for await (const row of warehouse.query('usage_by_window', asked)) {
    events += Number(row['events']);
    total += BigInt(String(row['value']));
  }
  if (events !== distinct || total !== tokens)
    throw new Error(`counted ${events} events and ${total} tokens instead of ${distinct} and ${tokens}`);
}
