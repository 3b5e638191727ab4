import { parseArgs } from 'node:util';
import { z } from 'zod';
import {
  ACK_DEADLINE_SECONDS,
  LOCAL_FEEDS,
  localCommitContext,
  maintainLocal,
  openLocal,
  type LocalFeedName,
} from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { DEFAULT_LATENESS_MICROS } from '#infra/usage/watermark.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import type { UsageRuntime } from '#pipelines/usage/runtime.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { startTelemetry } from '#infra/telemetry/start-telemetry.ts';
import { VERSION } from '#infra/version.ts';
import { batchErrand } from '#pipelines/batch/batch-errand.ts';
import { createEmbeddedRunner } from './runner.ts';

/**
 * The usage pipeline of the embedded default, as a process of its own, until it is told to stop (SIGINT or SIGTERM, or its parent's
 * channel closes). With a channel to its parent it reports its counters there.
 */
const settings = z
  .object({
    directory: z.string().min(1),
    worker: z.string().min(1).default(`pid-${process.pid}`),
    'log-level': z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
    'ack-deadline-seconds': z.coerce.number().int().min(10).max(600).default(ACK_DEADLINE_SECONDS),
    /** What the feeds promise: an event is published at most so long after it happened. */
    'lateness-seconds': z.coerce
      .number()
      .int()
      .min(0)
      .max(45 * 86_400)
      .default(DEFAULT_LATENESS_MICROS / 1_000_000),
    'batch-messages-max': z.coerce.number().int().min(1).max(20_000).optional(),
  })
  .parse(
    parseArgs({
      options: {
        directory: { type: 'string' },
        worker: { type: 'string' },
        'log-level': { type: 'string' },
        'ack-deadline-seconds': { type: 'string' },
        'lateness-seconds': { type: 'string' },
        'batch-messages-max': { type: 'string' },
      },
    }).values,
  );

const REPORT_EVERY_MS = 250;

const scheduler = systemScheduler;
const ackDeadlineSeconds = settings['ack-deadline-seconds'];
const telemetry = await startTelemetry({
  service: 'millrace-pipeline',
  version: VERSION,
  environment: process.env,
});
const log = createLog(settings['log-level']);
// From the first moment on: whoever is told to stop while it opens its stores stops as it would later.
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.on(signal, () => stopping.abort());
const stores = await openLocal({ directory: settings.directory, clock: scheduler.now, ackDeadlineSeconds });
const counters = emptyCounters();
/** Both feeds share what is known of catalogues. */
const { catalogues } = localCommitContext(stores.database, scheduler.now);
const runtimeOf = (feed: LocalFeedName): UsageRuntime => ({
  commit: { ...localCommitContext(stores.database, scheduler.now, feed), catalogues },
  namespaces: LOCAL_FEEDS[feed].rule,
  topic: stores.topics[feed],
  warehouse: stores.warehouse,
  counters,
});

const batch = batchErrand({
  database: stores.database,
  scheduler,
  log,
  args: [`--directory=${settings.directory}`, `--log-level=${settings['log-level']}`],
});
const runner = createEmbeddedRunner({
  name: 'usage',
  runtimes: [runtimeOf('usage'), runtimeOf('api')],
  worker: settings.worker,
  latenessMicros: settings['lateness-seconds'] * 1_000_000,
  ackDeadlineSeconds,
  scheduler,
  log,
  ...(settings['batch-messages-max'] === undefined
    ? {}
    : { batchMessagesMax: settings['batch-messages-max'] }),
  maintain: async () => {
    const { dropped } = await maintainLocal(stores, scheduler.now());
    if (dropped.length > 0)
      log.error({ dropped }, 'messages older than the retention were dropped before they were committed');
  },
  errands: [batch],
});

const report = (): void => {
  const memory = process.memoryUsage();
  process.send?.({ counters, cpuMicros: process.cpuUsage(), residentBytes: memory.rss });
};
const reporting = setInterval(report, REPORT_EVERY_MS);
process.send?.({ ready: true });
log.info({ worker: settings.worker, directory: settings.directory }, 'the pipeline runs');
await runner.run(stopping.signal);
await batch.stop();
clearInterval(reporting);
report();
await stores.close();
log.info({ worker: settings.worker }, 'the pipeline has stopped');
await telemetry.shutdown();
if (process.connected) process.disconnect();
