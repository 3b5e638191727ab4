import type { Logger } from 'pino';
import { createKeyRing } from '#infra/access/key-ring.ts';
import { KEY_LIMITS, type BucketLimits } from '#infra/access/token-buckets.ts';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import type { Database } from '#infra/database/database.ts';
import { afterChecks, createChecks } from '#infra/entitlements/create-checks.ts';
import { createReservations } from '#infra/entitlements/create-reservations.ts';
import { createInFlight } from '#infra/idempotency/run-idempotent.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { Topic } from '#infra/topic/topic.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { createCorrectionRunner } from './corrections/background.ts';
import { createIngest } from './events/ingest.ts';
import { createApp } from './http/app.ts';
import { createDrain } from './http/drain.ts';
import { createMetrics } from './http/metrics.ts';
import { listen, type ListeningServer, type ServerTimeouts } from './http/server.ts';
import { createImportRunner } from './imports/background.ts';
import { createInvoiceRunner } from './invoice-runs/background.ts';
import { createPipelineReports } from './operation/pipeline-reports.ts';
import { assembleRoutes } from './routes.ts';
import type { Services } from './services.ts';
import { VERSION } from '#infra/version.ts';

export interface ApiOptions {
  readonly stores: {
    readonly database: Database;
    readonly warehouse: Warehouse;
    /** The topic that only the API publishes to. */
    readonly topic: Topic;
    /** What is told of each feed's backlog, by its name. */
    readonly feeds: Services['feeds'];
  };
  readonly scheduler: Scheduler;
  readonly log: Logger;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** How long a stopping server waits for the requests in hand. */
  readonly graceMs: number;
  readonly timeouts?: ServerTimeouts;
  /** What one API key may send through this process. */
  readonly keyLimits?: BucketLimits;
}

export interface RunningApi extends ListeningServer {
  readonly services: Services;
}

/** Starts the API on open stores, which stay the caller's to close. */
export async function startApi({
  stores,
  scheduler,
  log,
  host,
  port,
  graceMs,
  timeouts,
  keyLimits = KEY_LIMITS,
}: ApiOptions): Promise<RunningApi> {
  const { database } = stores;
  const catalogues = createCatalogues(database);
  const invoiceRuns = createInvoiceRunner({ stores, scheduler, log });
  const correcting = { stores: { ...stores, catalogues }, scheduler, log };
  const corrections = createCorrectionRunner(correcting);
  const imports = createImportRunner(correcting);
  const services: Services = {
    ...stores,
    catalogues,
    keys: createKeyRing(database),
    inFlight: createInFlight(),
    ingest: createIngest({ database, catalogues, scheduler }, keyLimits),
    checks: createChecks({ database, clock: scheduler.now }),
    reservations: createReservations({ database: stores.database, clock: scheduler.now, pause: afterChecks }),
    invoiceRuns,
    corrections,
    imports,
    metrics: createMetrics(),
    pipeline: createPipelineReports(),
    drain: createDrain(),
    scheduler,
    log,
    version: VERSION,
  };
  const app = createApp(services, assembleRoutes(VERSION).routes);
  const server = await listen({
    app,
    drain: services.drain,
    host,
    port,
    graceMs,
    ...(timeouts && { timeouts }),
  });
  // What was cut off when a process ended goes on.
  invoiceRuns.start();
  corrections.start();
  imports.start();
  const close = async (): Promise<void> => {
    await Promise.all([server.close(), invoiceRuns.stop(), corrections.stop(), imports.stop()]);
  };
  return { ...server, close, services };
}
