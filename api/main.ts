import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { z } from 'zod';
import { KEY_LIMITS } from '#infra/access/token-buckets.ts';
import { LOCAL_FEEDS, openLocal, type LocalFeedName, type LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { startApi, type RunningApi } from './start-api.ts';

/**
 * The API on the embedded stores, as a process of its own, until it is told to stop (SIGINT or SIGTERM, or its parent's channel closes).
 * To its parent it says where it listens, or why it cannot; from it it takes the reports of the pipeline.
 */
const settings = z
  .object({
    directory: z.string().min(1),
    host: z.string().min(1).default('127.0.0.1'),
    port: z.coerce.number().int().min(0).max(65_535).default(8_080),
    'log-level': z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
    /** How long the requests in hand are waited for. */
    'grace-seconds': z.coerce.number().min(0).max(600).default(10),
    /** What one API key may send. */
    'key-events-per-second': z.coerce.number().int().min(1).default(KEY_LIMITS.eventsPerSecond),
    'key-bytes-per-second': z.coerce.number().int().min(1).default(KEY_LIMITS.bytesPerSecond),
  })
  .parse(
    parseArgs({
      options: {
        directory: { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        'log-level': { type: 'string' },
        'grace-seconds': { type: 'string' },
        'key-events-per-second': { type: 'string' },
        'key-bytes-per-second': { type: 'string' },
      },
    }).values,
  );

/** After the last answer the pipeline has so long to commit what was published; what is left waits for the next start. */
const COMMIT_PATIENCE_MS = 5_000;
const COMMIT_POLL_MS = 20;

const scheduler = systemScheduler;
const log = pino(
  { level: settings['log-level'], base: null, serializers: { err: pino.stdSerializers.errWithCause } },
  pino.destination({ dest: 2, sync: true }),
);

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.on(signal, () => stopping.abort());

const stores = await openLocal({ directory: settings.directory, clock: scheduler.now });
try {
  const api = await start(stores);
  process.on('message', (message) => api.services.pipeline.take(message));
  process.send?.({ ready: true, url: api.url });
  log.info({ url: api.url, directory: settings.directory }, 'the API listens');
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
}
if (process.connected) process.disconnect();

function start(opened: LocalStores): Promise<RunningApi> {
  const { database, warehouse, topics } = opened;
  return startApi({
    stores: { database, warehouse, topic: topics.api, feeds: topics },
    scheduler,
    log,
    host: settings.host,
    port: settings.port,
    graceMs: settings['grace-seconds'] * 1_000,
    keyLimits: {
      ...KEY_LIMITS,
      eventsPerSecond: settings['key-events-per-second'],
      bytesPerSecond: settings['key-bytes-per-second'],
    },
  });
}

/**
 * Leaves as little as possible for the next start, without waiting for a pipeline that does not run. A process without a parent, or one
 * whose parent has died, has nobody who would end the pipeline after it.
 */
async function waitForCommits({ topics }: LocalStores, { services }: RunningApi): Promise<void> {
  const giveUpAt = performance.now() + COMMIT_PATIENCE_MS;
  const uncommitted = async (): Promise<number> => {
    const feeds = Object.keys(LOCAL_FEEDS) as LocalFeedName[];
    const backlogs = await Promise.all(feeds.map((feed) => topics[feed].backlog()));
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
