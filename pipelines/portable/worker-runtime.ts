import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { readBackend } from '#infra/cloud/backend.ts';
import type { HeldBounds } from '#infra/fleet/holder.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { addMetricSource } from '#infra/telemetry/measured-metrics.ts';
import { startTelemetry } from '#infra/telemetry/start-telemetry.ts';
import { VERSION } from '#infra/version.ts';
import { batchErrand } from '#pipelines/batch/batch-errand.ts';
import { onWorkerEnd } from '#pipelines/beam/worker-end.ts';
import { createWorkerMetrics } from '#pipelines/fleet/metrics.ts';
import { readWorkerSettings, type WorkerSettings } from '#pipelines/fleet/settings.ts';
import type { Log } from '#pipelines/runner/log.ts';
import { usageErrands } from '#pipelines/runner/usage-errands.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import type { Backing } from './backing.ts';
import { createPortableWorker, type PortableWorker } from './portable-worker.ts';
import { provideWorker } from './portable-workers.ts';
import { readCommitPatience, readHeldBounds, readJob } from './worker-variables.ts';

/** The worker that the environment of its process describes, as `npm run worker` and the API read it. */
export const ENVIRONMENT_WORKER = 'environment';

const HOLDER_ID_BYTES = 9;
const scheduler = systemScheduler;

provideWorker(ENVIRONMENT_WORKER, openFromEnvironment);

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
  const backing = await openBacking({ log, bounds });
  const { worker, batch } = createWorker({ backing, settings, bounds, log });
  onWorkerEnd(async () => {
    await batch.stop();
    await worker.close();
    await telemetry.shutdown();
  });
  return worker;
}

/** Only the backing that is named is loaded: the clients of the other's stores are some 50 MB of every worker. */
async function openBacking(options: { readonly log: Log; readonly bounds: HeldBounds }): Promise<Backing> {
  if (readBackend(process.env) === 'embedded') {
    const { openEmbedded } = await import('./embedded-backing.ts');
    return openEmbedded(process.env);
  }
  const { openInCloud } = await import('./cloud-backing.ts');
  return openInCloud(process.env, options);
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
  const job = readJob(process.env);
  const batch = batchErrand({
    ...{ database, scheduler, log, args: batchArgs },
    environment: { MILLRACE_BACKEND: readBackend(process.env) },
  });
  const worker = createPortableWorker({
    ...{ ...rest, stores, worker: name, bounds, scheduler, log, counters },
    ...{ release: settings.release, latenessMicros: settings.latenessMicros },
    commitPatienceSeconds: readCommitPatience(process.env),
    ...(job !== undefined && { job }),
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
