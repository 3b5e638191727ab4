import type { Logger } from 'pino';
import { noteFault, openCorrections } from '#infra/corrections/corrections.ts';
import { workOnCorrection, type CorrectionStores } from '#infra/corrections/work-on-correction.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { createBackgroundRunner, type BackgroundRunner } from '../background/background-runner.ts';

/** Works on corrections in this process, between its answers. */
export function createCorrectionRunner({
  stores,
  scheduler,
  log,
}: {
  readonly stores: CorrectionStores;
  readonly scheduler: Scheduler;
  readonly log: Logger;
}): BackgroundRunner {
  return createBackgroundRunner({
    what: 'correction',
    readOpen: (namespace) => openCorrections(stores.database, namespace),
    work: async (open, how) => {
      try {
        await workOnCorrection(stores, { ...how, ...open });
      } catch (error) {
        if (!how.signal.aborted) await noteFault(stores.database, open, error);
        throw error;
      }
    },
    scheduler,
    log,
  });
}
