import { setTimeout as sleep } from 'node:timers/promises';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import type { Database } from '#infra/database/database.ts';
import { LOCAL_FEED, openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { Topic } from '#infra/topic/topic.ts';
import { readFeeds } from '#infra/usage/watermark.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import type { FreshCloud } from './gcp/fresh-cloud.ts';
import { checkTotals } from './gcp/usage-graph.ts';
import { checkWorkload } from './ingest.ts';
import { embeddedVariables } from './portable-modes.ts';
import { lastCommitMs, untilAcknowledged, type Expected } from './steady-load.ts';
import { WORKLOAD_METERS } from './workload.ts';

/** What a pipeline reads and writes, as its bench sees it: empty but for the meters. */
export interface PortableStores {
  readonly topic: Pick<Topic, 'publish'>;
  readonly warehouse: Pick<Warehouse, 'query'>;
  /** Of these stores, as workers read them. */
  readonly environment: NodeJS.ProcessEnv;
  /**
   * Resolves when everything that was published since then is committed and appended, with when that was, in ms since the epoch. Throws when
   * it takes longer than `msMax`.
   */
  workedOff(sinceMs: number, msMax: number): Promise<number>;
  /** Throws where the totals are others. */
  check(expected: Expected): Promise<void>;
  close(): Promise<void>;
}

const { namespace } = LOCAL_FEED;

async function putMeters(database: Database): Promise<void> {
  for (const [key, definition] of Object.entries(WORKLOAD_METERS))
    await putMeter(database, { namespace, key, definition });
}

/** The embedded ones, in that directory. */
export async function openEmbeddedStores(directory: string): Promise<PortableStores> {
  const { database, topic, warehouse, close } = await openLocal({ directory, clock: systemScheduler.now });
  await putMeters(database);
  return {
    ...{ topic, warehouse, close, environment: embeddedVariables(directory) },
    workedOff: async (_sinceMs, msMax) => {
      await untilAcknowledged(topic, msMax);
      return Date.now();
    },
    check: (expected) => checkWorkload(directory, expected),
  };
}

/** Those on the emulators of Google Cloud. */
export async function openEmulatedStores({
  stores: { database, warehouse, feeds },
  environment,
  close,
}: FreshCloud): Promise<PortableStores> {
  const usage = feeds.find(({ feed }) => feed === LOCAL_FEED.feed);
  if (usage === undefined) throw new Error(`there is no feed ${LOCAL_FEED.feed}`);
  await putMeters(database);
  return {
    ...{ topic: usage.topic, warehouse, close },
    environment: { ...environment, MILLRACE_BACKEND: 'gcp', MILLRACE_LOG_LEVEL: 'warn' },
    workedOff: async (sinceMs, msMax) => {
      await untilCommitted(database, msMax);
      // No emulator tells when; the watermark is some seconds late, and the events themselves are not.
      return lastCommitMs(warehouse, { fromMs: sinceMs, toMs: Date.now() });
    },
    check: (expected) => checkTotals({ stores: { warehouse } }, expected),
  };
}

const WATERMARK_POLL_MS = 250;

/** Resolves when the watermark says that everything published so far is committed and appended. */
async function untilCommitted(database: Database, msMax: number): Promise<void> {
  const published = systemScheduler.now();
  const until = published + msMax * MICROS_PER_MILLI;
  for (;;) {
    const usage = (await readFeeds(database)).find(({ feed }) => feed === LOCAL_FEED.feed);
    if (usage !== undefined && usage.committedThrough >= published) return;
    if (systemScheduler.now() > until)
      throw new Error(`messages are still not committed after ${msMax / 1_000} s`);
    await sleep(WATERMARK_POLL_MS);
  }
}
