import type { Logger } from 'pino';
import type { InvoicingStores } from '#infra/invoicing/collect-invoices.ts';
import { openRuns } from '#infra/invoicing/invoice-runs.ts';
import { GENTLE, workOnRun } from '#infra/invoicing/work-on-run.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { createBackgroundRunner, type BackgroundRunner } from '../background/background-runner.ts';

export type InvoiceRunner = BackgroundRunner;

/** Works on invoice runs in this process, between its answers. */
export function createInvoiceRunner({
  stores,
  scheduler,
  log,
}: {
  readonly stores: InvoicingStores;
  readonly scheduler: Scheduler;
  readonly log: Logger;
}): InvoiceRunner {
  return createBackgroundRunner({
    what: 'invoice run',
    readOpen: async (namespace) =>
      (await openRuns(stores.database, namespace)).map((open) => ({ ...open, id: open.run })),
    work: ({ namespace, id }, how) => workOnRun(stores, { ...how, namespace, run: id, pace: GENTLE }),
    scheduler,
    log,
  });
}
