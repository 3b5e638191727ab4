import { preloadEvents } from './event-table.ts';
import { countWork, type WorkCounts } from './counting-database.ts';
import { peakResidentBytes, startMeasuring, type Measured } from './measure.ts';
import { WORKLOAD_METERS, type Workload } from './workload.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import type { Database } from '#infra/database/database.ts';
import {
  ACK_DEADLINE_SECONDS,
  LOCAL_FEED,
  LOCAL_FEEDS,
  localCommitContext,
  openLocal,
  type LocalStores,
} from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { event } from '#infra/usage/tables.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { createEmbeddedRunner } from '#pipelines/embedded/runner.ts';
import { emptyCounters, type UsageCounters } from '#pipelines/usage/counters.ts';

const MESSAGES_PER_PUBLISH = 1_000;
/** Two days: all of the workload's day counts as in time. */
const LATENESS_MICROS = 2 * 86_400_000_000;
const POLL_MS = 5;
const { namespace } = LOCAL_FEED;

const open = (directory: string): Promise<LocalStores> =>
  openLocal({ directory, clock: systemScheduler.now });

/** Saves the meters, stores identities of earlier events if asked to, and publishes the workload. Only the publishing is measured. */
export async function publishWorkload(
  directory: string,
  { lines }: Workload,
  preloaded: number,
): Promise<Measured> {
  const stores = await open(directory);
  for (const [key, definition] of Object.entries(WORKLOAD_METERS))
    await putMeter(stores.database, { namespace, key, definition });
  if (preloaded > 0) await preloadEvents(stores.database, preloaded);
  const stop = startMeasuring();
  for (let at = 0; at < lines.length; at += MESSAGES_PER_PUBLISH) {
    await stores.topic.publish(
      lines.slice(at, at + MESSAGES_PER_PUBLISH).map((line) => ({ data: Buffer.from(line) })),
    );
  }
  const measured = stop();
  await stores.close();
  return measured;
}

export interface CommittedWorkload extends Measured {
  readonly peakResidentBytes: number;
  readonly acceptedEvents: number;
  readonly writes: WorkCounts | undefined;
}

/** Runs the pipeline until every message is committed, appended and acknowledged. Opening and the first look at old identities are not measured. */
export async function commitWorkload(
  directory: string,
  {
    messages,
    counted,
    batchMessagesMax,
  }: { messages: number; counted: boolean; batchMessagesMax?: number | undefined },
): Promise<CommittedWorkload> {
  const stores = await open(directory);
  await stores.database.read(event, [['\0'.repeat(16)]]);
  const counting = counted ? countWork(stores.database) : undefined;
  const counters = emptyCounters();
  const stopping = new AbortController();
  const stop = startMeasuring();
  const runner = createRunner(
    { ...stores, database: counting?.database ?? stores.database },
    counters,
    batchMessagesMax,
  );
  const running = runner.run(stopping.signal);
  while (counters.acknowledged_total < messages) await systemScheduler.sleep(POLL_MS);
  const measured = stop();
  stopping.abort();
  await running;
  await stores.close();
  return {
    ...measured,
    peakResidentBytes: peakResidentBytes(),
    acceptedEvents: counters.accepted_total,
    writes: counting?.counts,
  };
}

type Stores = Omit<LocalStores, 'database' | 'close'> & { readonly database: Database };

function createRunner(
  { database, topic, warehouse }: Stores,
  counters: UsageCounters,
  batchMessagesMax?: number,
) {
  const commit = localCommitContext(database, systemScheduler.now);
  return createEmbeddedRunner({
    name: 'bench',
    runtimes: [{ commit, namespaces: LOCAL_FEEDS.usage.rule, topic, warehouse, counters }],
    worker: 'bench',
    latenessMicros: LATENESS_MICROS,
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
    scheduler: systemScheduler,
    log: createLog('error'),
    ...(batchMessagesMax === undefined ? {} : { batchMessagesMax }),
  });
}

/** The warehouse's count and total over everything equal the workload's own. Throws otherwise: a wrong result has no speed. */
export async function checkWorkload(
  directory: string,
  { distinct, tokens }: Pick<Workload, 'distinct' | 'tokens'>,
): Promise<void> {
  const stores = await open(directory);
  const range = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
  const asked = { namespace, meter: 'tokens@1', aggregation: 'sum', value: 'tokens', ...range };
  let events = 0;
  let total = 0n;
  for await (const row of stores.warehouse.query('usage_by_window', asked)) {
    events += Number(row['events']);
    total += BigInt(String(row['value']));
  }
  await stores.close();
  if (events !== distinct || total !== tokens) {
    throw new Error(`counted ${events} events and ${total} tokens instead of ${distinct} and ${tokens}`);
  }
}
