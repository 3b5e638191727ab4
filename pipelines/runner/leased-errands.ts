import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { createErrandLease } from '#infra/fleet/errand-lease.ts';
import type { Errand } from './errand.ts';

/** The lease of the errands that one of several workers does for all. */
const USAGE_ERRANDS = 'usage';

export interface LeaseOptions {
  readonly database: Database;
  readonly worker: string;
  readonly clock: () => Instant;
}

/** The same errands, done only while the worker has their lease. */
export function leasedErrands(errands: readonly Errand[], options: LeaseOptions): readonly Errand[] {
  const lease = createErrandLease(options.database, { ...options, errand: USAGE_ERRANDS });
  return errands.map(({ everyMs, run }) => ({
    everyMs,
    run: async () => ((await lease.isMine()) ? run() : undefined),
  }));
}

/** Lets another worker have them at once. */
export const giveUpErrands = ({ database, worker }: Omit<LeaseOptions, 'clock'>): Promise<void> =>
  createErrandLease(database, { errand: USAGE_ERRANDS, worker, clock: () => 0 }).giveUp();
