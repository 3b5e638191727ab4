import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { systemScheduler } from '#infra/scheduler.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { startTelemetry } from '#infra/telemetry/start-telemetry.ts';
import { VERSION } from '#infra/version.ts';
import { openBatchStores } from './open-stores.ts';
import { workOnOpen } from './open-work.ts';

/**
 * Does the batch work that is open, as a process of its own, and ends when there is none: started by a runner that finds some, by a job of a
 * scheduler, or by hand. On the embedded stores below `--directory`, or on Google Cloud with `MILLRACE_BACKEND=gcp`. Exit code 0 when all is done, 1 when
 * something is left for the next time. Told to stop, or killed, it leaves everything where the next one goes on.
 */
const settings = z
  .object({
    directory: z.string().optional(),
    'log-level': z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  })
  .parse(parseArgs({ options: { directory: { type: 'string' }, 'log-level': { type: 'string' } } }).values);

const scheduler = systemScheduler;
const telemetry = await startTelemetry({
  service: 'millrace-batch',
  version: VERSION,
  environment: process.env,
});
const log = createLog(settings['log-level']);
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.on(signal, () => stopping.abort());

const stores = await openBatchStores({
  environment: process.env,
  clock: scheduler.now,
  directory: settings.directory,
});
try {
  const worker = `batch-${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const { database, warehouse } = stores;
  const isDone = await workOnOpen({ database, warehouse, worker, scheduler, signal: stopping.signal, log });
  if (!isDone) process.exitCode = 1;
} finally {
  await stores.close();
  await telemetry.shutdown();
}
if (process.connected) process.disconnect();
