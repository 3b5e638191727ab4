import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { readBackend } from '#infra/cloud/backend.ts';
import { openCloud, openFeed } from '#infra/cloud/open-cloud.ts';
import { prepareIfOnEmulators } from '#infra/cloud/prepare-cloud.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import type { HeldBounds } from '#infra/fleet/holder.ts';
import { openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { createClosing, type OpenedStores } from '#infra/stores/opened-stores.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { addMetricSource } from '#infra/telemetry/measured-metrics.ts';
import { startTelemetry } from '#infra/telemetry/start-telemetry.ts';
import { ROWS_PER_COUNTED_COMMIT_MAX } from '#infra/usage/commit-bound.ts';
import { VERSION } from '#infra/version.ts';
import { batchErrand } from '#pipelines/batch/batch-errand.ts';
import { onWorkerEnd } from '#pipelines/beam/worker-end.ts';
import { joinFleet } from '#pipelines/fleet/membership.ts';
import { createWorkerMetrics } from '#pipelines/fleet/metrics.ts';
import { readWorkerSettings, type WorkerSettings } from '#pipelines/fleet/settings.ts';
import type { Log } from '#pipelines/runner/log.ts';
import { usageErrands } from '#pipelines/runner/usage-errands.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import { joinAlone } from './alone.ts';
import { createPortableWorker, type PortableWorker, type PortableWorkerOptions } from './portable-worker.ts';
import { provideWorker } from './portable-workers.ts';
import { readCommitPatience, readEmbedded, readHeldBounds } from './worker-variables.ts';

/** The worker that the environment of its process describes, as `npm run worker` and the API read it. */
export const ENVIRONMENT_WORKER = 'environment';

const HOLDER_ID_BYTES = 9;
const scheduler = systemScheduler;

provideWorker(ENVIRONMENT_WORKER, openFromEnvironment);

/** What differs between the backings. */
type Backing = Pick<
  PortableWorkerOptions,
  'stores' | 'openSources' | 'join' | 'rowsPerCommitMax' | 'ackDeadlineSeconds'
> & {
  /** For the process that does batch work. */
  readonly batchArgs: readonly string[];
};

/** Opened when the first DoFn of the process needs it, closed when the worker ends. */
async function openFromEnvironment(): Promise<PortableWorker> {
  const settings = readWorkerSettings(process.env);
  const bounds = readHeldBounds(process.env);
  const telemetry = await startTelemetry({
    service: 'millrace-portable-worker',
    version: VERSION,
    environment: process.env,
  });
  const log = createLog(settings.logLevel);
  const backing =
    readBackend(process.env) === 'embedded'
      ? await openEmbedded(process.env)
      : await openInCloud(log, bounds);
  const { worker, batch } = createWorker({ backing, settings, bounds, log });
  onWorkerEnd(async () => {
    await batch.stop();
    await worker.close();
    await telemetry.shutdown();
  });
  return worker;
}

interface WorkerParts {
  readonly backing: Backing;
  readonly settings: WorkerSettings;
  readonly bounds: HeldBounds;
  readonly log: Log;
}

function createWorker({ backing, settings, bounds, log }: WorkerParts) {
  const { stores, batchArgs, ...rest } = backing;
  const { database } = stores;
  const name = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
  const counters = emptyCounters();
  const batch = batchErrand({
    ...{ database, scheduler, log, args: batchArgs },
    environment: { MILLRACE_BACKEND: readBackend(process.env) },
  });
  const worker = createPortableWorker({
    ...{ ...rest, stores, worker: name, bounds, scheduler, log, counters },
    ...{ release: settings.release, latenessMicros: settings.latenessMicros },
    commitPatienceSeconds: readCommitPatience(process.env),
    errandsForAll: [batch, ...errandsForAll(stores, name, log)],
    newHolderId: () => randomBytes(HOLDER_ID_BYTES).toString('base64url'),
  });
  const metrics = createWorkerMetrics(counters, settings.scaling);
  addMetricSource(() => metrics.measured(stores, scheduler.now()));
  return { worker, batch };
}

const errandsForAll = (stores: OpenedStores, name: string, log: Log) =>
  usageErrands({
    ...{ name, database: stores.database, scheduler, log },
    topics: stores.feeds.map(({ topic }) => topic),
    maintain: async () => {
      const { dropped } = await stores.maintain(scheduler.now());
      if (dropped.length > 0)
        log.error({ dropped }, 'messages older than the retention were dropped before they were committed');
    },
  });

/** Any number of worker processes may open the embedded stores; their topics tell each handle what is acknowledged by all. */
async function openEmbedded(environment: NodeJS.ProcessEnv): Promise<Backing> {
  const { directory, ackDeadlineSeconds } = readEmbedded(environment);
  const stores = await openLocal({ directory, clock: scheduler.now, ackDeadlineSeconds });
  return {
    ...{ stores, ackDeadlineSeconds },
    openSources: async () => ({ feeds: stores.feeds, close: async () => undefined }),
    join: joinAlone,
    batchArgs: [`--directory=${directory}`],
  };
}

/** Messages are acknowledged by handles of their own, so that those that pull can be closed when the worker is cut off. */
async function openInCloud(log: Log, bounds: HeldBounds): Promise<Backing> {
  const settings = readCloudSettings(process.env);
  const clock = scheduler.now;
  const { commitDelayMs, pubsub } = settings;
  await prepareIfOnEmulators(settings, clock);
  const stores = await openCloud({ settings, clock, tag: 'portable', commitDelayMs, topicLog: log });
  const openSources = async () => {
    const { keep, close } = createClosing();
    const options = { settings, clock, topicLog: log, outstanding: bounds };
    const opening = pubsub.feeds.map((feed) => openFeed(feed, options, keep));
    try {
      return { feeds: await Promise.all(opening), close };
    } catch (error) {
      await Promise.allSettled(opening);
      await close().catch(() => undefined);
      throw error;
    }
  };
  return {
    ...{ stores, openSources, join: joinFleet, batchArgs: [] },
    rowsPerCommitMax: ROWS_PER_COUNTED_COMMIT_MAX,
    ackDeadlineSeconds: pubsub.ackDeadlineSeconds,
  };
}
