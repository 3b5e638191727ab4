import { openCloud } from '#infra/cloud/open-cloud.ts';
import { prepareIfOnEmulators } from '#infra/cloud/prepare-cloud.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import { openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { topicsByFeed, type OpenedStores } from '#infra/stores/opened-stores.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { addMetricSource } from '#infra/telemetry/measured-metrics.ts';
import { startTelemetry } from '#infra/telemetry/start-telemetry.ts';
import { VERSION } from '#infra/version.ts';
import { readMetrics } from './operation/read-metrics.ts';
import { readApiSettings } from './settings.ts';
import { startApi, type RunningApi } from './start-api.ts';

/**
 * The API on the embedded stores, or on Google Cloud with `MILLRACE_BACKEND=gcp`, as a process of its own, until it is told to stop (SIGINT
 * or SIGTERM, or its parent's channel closes). To its parent it says where it listens, or why it cannot; from it it takes the reports of the
 * pipeline.
 */
const settings = readApiSettings(process.argv.slice(2), process.env);

/** After the last answer the pipeline has so long to commit what was published; what is left waits for the next start. */
const COMMIT_PATIENCE_MS = 5_000;
const COMMIT_POLL_MS = 20;

const scheduler = systemScheduler;
const telemetry = await startTelemetry({
  service: 'millrace-api',
  version: VERSION,
  environment: process.env,
});
const log = createLog(settings.logLevel);

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.on(signal, () => stopping.abort());

const stores = await openStores();
try {
  const api = await start(stores);
  process.on('message', (message) => api.services.pipeline.take(message));
  addMetricSource(() => readMetrics(api.services).then((metrics) => metrics.measured()));
  process.send?.({ ready: true, url: api.url });
  log.info({ url: api.url, backend: settings.backend }, 'the API listens');
  if (!stopping.signal.aborted)
    await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
  await api.close();
  await waitForCommits(stores, api);
  log.info({}, 'the API has stopped');
} catch (error) {
  const fault = faultOf(error);
  if (fault === undefined) throw error;
  log.error({ err: error }, fault);
  process.send?.({ fault });
  process.exitCode = 1;
} finally {
  await stores.close();
  await telemetry.shutdown();
}
if (process.connected) process.disconnect();

async function openStores(): Promise<OpenedStores> {
  const clock = scheduler.now;
  if (settings.backend === 'embedded') return openLocal({ directory: settings.directory, clock });
  try {
    const cloud = readCloudSettings(process.env);
    await prepareIfOnEmulators(cloud, clock);
    return await openCloud({ settings: cloud, clock, tag: 'api', topicLog: log });
  } catch (error) {
    process.send?.({ fault: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

function start(opened: OpenedStores): Promise<RunningApi> {
  const { database, warehouse, apiTopic } = opened;
  const { host, port, graceMs, keyLimits } = settings;
  return startApi({
    stores: { database, warehouse, topic: apiTopic, feeds: topicsByFeed(opened) },
    ...{ scheduler, log, host, port, graceMs, keyLimits },
  });
}

/**
 * Leaves as little as possible for the next start, without waiting for a pipeline that does not run. A process without a parent, or one
 * whose parent has died, has nobody who would end the pipeline after it.
 */
async function waitForCommits({ feeds }: OpenedStores, { services }: RunningApi): Promise<void> {
  // A fleet drains by itself, and its topics know their backlog minutes later or not at all.
  if (settings.backend !== 'embedded') return;
  const giveUpAt = performance.now() + COMMIT_PATIENCE_MS;
  const uncommitted = async (): Promise<number> => {
    const backlogs = await Promise.all(feeds.map(({ topic }) => topic.backlog()));
    return backlogs.reduce((sum, { messages }) => sum + messages, 0);
  };
  let left = await uncommitted();
  while (
    left > 0 &&
    process.connected &&
    services.pipeline.latest !== undefined &&
    performance.now() < giveUpAt
  ) {
    await scheduler.sleep(COMMIT_POLL_MS);
    left = await uncommitted();
  }
  if (left > 0 && process.connected) process.send?.({ uncommitted: left });
}

/** Why it cannot listen, in words for whoever started it; undefined for what is no fault of the settings. */
function faultOf(error: unknown): string | undefined {
  const { host, port } = settings;
  const code = error instanceof Error && 'syscall' in error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is taken by another program; choose another with MILLRACE_PORT`;
    case 'EACCES':
      return `port ${port} may not be used by this user; choose one above 1023 with MILLRACE_PORT`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine; choose another with MILLRACE_HOST`;
    default:
      return undefined;
  }
}
