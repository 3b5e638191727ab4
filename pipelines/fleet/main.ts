import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { openCloud } from '#infra/cloud/open-cloud.ts';
import { prepareIfOnEmulators } from '#infra/cloud/prepare-cloud.ts';
import { readCloudSettings, type CloudSettings } from '#infra/cloud/settings.ts';
import { CLAIM_FRESH_MICROS } from '#infra/fleet/windows.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { addMetricSource } from '#infra/telemetry/measured-metrics.ts';
import { startTelemetry } from '#infra/telemetry/start-telemetry.ts';
import { VERSION } from '#infra/version.ts';
import { listenForStop } from '#pipelines/runner/listen-for-stop.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import { serveHealth } from './health.ts';
import { createWorkerMetrics } from './metrics.ts';
import { readWorkerSettings, type WorkerSettings } from './settings.ts';
import { runWorker } from './worker.ts';

/**
 * `npm run worker`: one worker of a fleet on Google Cloud, until it is told to stop (SIGINT, SIGTERM, or its parent's channel closes); then
 * it drains. A second signal ends it at once. Everything it needs to know is in its environment. Exit code 0 when it has drained, 1 when
 * it could not start or did not drain in time, 130 when it was ended at once.
 */
const REPORT_EVERY_MS = 250;

const stopping = listenForStop();
try {
  await work(readCloudSettings(process.env), readWorkerSettings(process.env));
} catch (error) {
  const fault = error instanceof Error ? error.message : String(error);
  process.stderr.write(`the worker did not start: ${fault}\n`);
  process.send?.({ fault });
  process.exitCode = 1;
}
if (process.connected) process.disconnect();
// Whatever a client of a store still waits for, nothing of ours does.
process.exit();

async function work(cloud: CloudSettings, settings: WorkerSettings): Promise<void> {
  const scheduler = systemScheduler;
  const telemetry = await startTelemetry({
    service: 'millrace-worker',
    version: VERSION,
    environment: process.env,
  });
  const log = createLog(settings.logLevel);
  const worker = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
  const counters = emptyCounters();
  const metrics = createWorkerMetrics(counters, settings.scaling);
  let stores: OpenedStores | undefined;
  let claimedAt = 0;
  let isDraining = false;
  addMetricSource(() => metrics.measured(stores, scheduler.now()));
  const health = await serveHealth(
    {
      notReady: () => {
        if (isDraining) return 'drains';
        if (stores === undefined) return 'is starting';
        const isHeard = scheduler.now() - claimedAt <= CLAIM_FRESH_MICROS;
        return isHeard ? undefined : 'cannot reach its database';
      },
      metrics: () => metrics.read(stores, scheduler.now()),
    },
    settings.health,
  );
  const report = (): void => {
    process.send?.({ counters, cpuMicros: process.cpuUsage(), residentBytes: process.memoryUsage.rss() });
  };
  const reporting = setInterval(report, REPORT_EVERY_MS);
  try {
    await prepareIfOnEmulators(cloud, scheduler.now);
    const end = await runWorker(stopping, {
      ...{ worker, scheduler, log, counters },
      ...settings,
      ackDeadlineSeconds: cloud.pubsub.ackDeadlineSeconds,
      openStores: () =>
        openCloud({
          settings: cloud,
          clock: scheduler.now,
          tag: 'worker',
          commitDelayMs: cloud.commitDelayMs,
          topicLog: log,
        }),
      progress: {
        claimed: (at) => (claimedAt = at),
        drains: () => (isDraining = stopping.aborted),
        pulls: (opened, slot) => {
          stores = opened;
          log.info({ worker, slot, release: settings.release, healthPort: health.port }, 'the worker pulls');
          process.send?.({ ready: true, healthPort: health.port });
        },
      },
    });
    log.info({ worker, end }, 'the worker has stopped');
    if (end !== 'drained') process.exitCode = 1;
  } finally {
    clearInterval(reporting);
    report();
    await health.close();
    await telemetry.shutdown();
  }
}
