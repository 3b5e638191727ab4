import type { Logger } from 'pino';
import { openImports } from '#infra/imports/imports.ts';
import { workOnImport, type ImportStores } from '#infra/imports/work-on-import.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { createBackgroundRunner, type BackgroundRunner } from '../background/background-runner.ts';

/** Works on imports in this process, between its answers. */
export const createImportRunner = ({
  stores,
  scheduler,
  log,
}: {
  readonly stores: ImportStores;
  readonly scheduler: Scheduler;
  readonly log: Logger;
}): BackgroundRunner =>
  createBackgroundRunner({
    what: 'import',
    readOpen: (namespace) => openImports(stores.database, namespace),
    work: (open, how) => workOnImport(stores, { ...how, ...open }),
    scheduler,
    log,
  });
