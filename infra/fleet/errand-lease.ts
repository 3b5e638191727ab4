import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { errandLease } from './tables.ts';

/** Who has not renewed it for so long has lost it. */
export const ERRAND_LEASE_MICROS = 10 * MICROS_PER_SECOND;

/** The errands of a fleet in the hands of one worker at a time. */
export interface ErrandLease {
  /** Whether the errands are this worker's now. The database is asked only when the lease is free, or half over. */
  isMine(): Promise<boolean>;
  /** Lets another have them at once. */
  giveUp(): Promise<void>;
}

/**
 * A lease only saves work: every errand is harmless when two workers do it, as they may when one of them is held up beyond its lease.
 */
export function createErrandLease(
  database: Database,
  {
    errand,
    worker,
    clock,
  }: { readonly errand: string; readonly worker: string; readonly clock: () => Instant },
): ErrandLease {
  let mineUntil: Instant = 0;
  let othersUntil: Instant = 0;
  const take = async (now: Instant): Promise<boolean> => {
    const until = now + ERRAND_LEASE_MICROS;
    const { result } = await database.transact(async (tx) => {
      const [row] = await tx.read(errandLease, [[errand]]);
      if (row !== undefined && row.worker !== worker && row.until > now) return row.until;
      tx.upsert(errandLease, { errand, worker, until });
      return undefined;
    });
    if (result === undefined) mineUntil = until;
    else [mineUntil, othersUntil] = [0, Math.min(result, until)];
    return result === undefined;
  };
  return {
    isMine: async () => {
      const now = clock();
      if (mineUntil - now > ERRAND_LEASE_MICROS / 2) return true;
      // Others are asked again when their lease could be over.
      if (othersUntil > now) return false;
      return take(now);
    },
    giveUp: async () => {
      mineUntil = 0;
      await database.transact(async (tx) => {
        const [row] = await tx.read(errandLease, [[errand]]);
        if (row?.worker === worker) tx.delete(errandLease, [errand]);
      });
    },
  };
}
