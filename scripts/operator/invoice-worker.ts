import { parseArgs } from 'node:util';
import { v7 as uuidV7 } from 'uuid';
import { workOnRun } from '#infra/invoicing/work-on-run.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { openPlatform } from './open-platform.ts';

/*
 * The process of one more worker on a run of invoices. It tells how many customers each part had, and ends with the parts, or when whoever started it is
 * gone: another worker takes over what it had.
 */

const { values } = parseArgs({
  options: {
    namespace: { type: 'string', default: '' },
    run: { type: 'string', default: '' },
  },
});
const { namespace, run } = values;
const scheduler = systemScheduler;
const stopping = new AbortController();
process.once('disconnect', () => stopping.abort());

const stores = await openPlatform({ environment: process.env, clock: scheduler.now, tag: 'invoices' });
try {
  await workOnRun(stores, {
    ...{ namespace, run, scheduler, worker: `worker-${uuidV7()}` },
    partsOnly: true,
    signal: stopping.signal,
    onProgress: (progress) => {
      if (progress.kind === 'part' && process.connected) process.send?.(progress.counts.customers);
    },
  });
} catch (error) {
  if (!stopping.signal.aborted) {
    process.stderr.write(`a worker of run ${run} failed: ${String(error)}\n`);
    process.exitCode = 1;
  }
} finally {
  await stores.close();
  if (process.connected) process.disconnect();
}
