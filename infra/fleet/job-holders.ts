import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { createErrandLease, type ErrandLease } from './errand-lease.ts';
import { errandLease, jobHolder } from './tables.ts';
import { CLOCK_SKEW_MICROS } from './windows.ts';

/** A worker says so often that it may hold messages. */
const HEARTBEAT_MICROS = 5 * MICROS_PER_SECOND;
/** Who has not said so for so long is dead: what it held comes again, whoever waits for it. */
export const SILENT_MICROS = 3 * HEARTBEAT_MICROS + CLOCK_SKEW_MICROS;

/** A worker among those of its job that may hold messages. */
export interface JobHolder {
  /**
   * Says that it may hold messages, unless somebody drains the job: then it resolves with false, and nothing may be pulled. A worker that begins
   * while a drain begins either hears of it, or is waited for.
   */
  enter(): Promise<boolean>;
  /** Says so again, and resolves with whether somebody drains the job. To be asked more often than a worker may be silent. */
  hearsDrain(): Promise<boolean>;
  /** It holds nothing any more. */
  leave(): Promise<void>;
}

export function createJobHolder(
  database: Database,
  {
    job,
    worker,
    clock,
  }: {
    readonly job: string;
    /** A name that is never used again. */
    readonly worker: string;
    readonly clock: () => Instant;
  },
): JobHolder {
  let saidAt: Instant = -Infinity;
  const say = async (): Promise<void> => {
    const heartbeatAt = clock();
    if (heartbeatAt - saidAt < HEARTBEAT_MICROS) return;
    await database.transact(async (tx) => tx.upsert(jobHolder, { job, worker, heartbeatAt }));
    saidAt = heartbeatAt;
  };
  const isDrained = async (): Promise<boolean> => {
    const [lease] = await database.read(errandLease, [[errandOf(job)]]);
    return lease !== undefined && lease.until > clock();
  };
  const hearsDrain = async (): Promise<boolean> => {
    // In this order: who drains takes the lease, and then looks for rows.
    await say();
    return isDrained();
  };
  const leave = async (): Promise<void> => {
    saidAt = -Infinity;
    await database.transact(async (tx) => tx.delete(jobHolder, [job, worker]));
  };
  return {
    enter: async () => {
      // A job that is drained has no new rows, which would be waited for.
      if (await isDrained()) return false;
      if (!(await hearsDrain())) return true;
      await leave();
      return false;
    },
    ...{ hearsDrain, leave },
  };
}

const errandOf = (job: string): string => `drain ${job}`;

/** While anybody has this lease no worker of the job pulls. It has to be renewed, so that a drain ends with whoever began it. */
export const drainLease = (
  database: Database,
  { job, ...who }: { readonly job: string; readonly worker: string; readonly clock: () => Instant },
): ErrandLease => createErrandLease(database, { errand: errandOf(job), ...who });

/** How many workers of the job may hold messages, of those that live. */
export async function countJobHolders(database: Database, job: string, now: Instant): Promise<number> {
  const rows = await Array.fromAsync(database.scan(jobHolder, { prefix: [job] }));
  return rows.filter(({ heartbeatAt }) => now - heartbeatAt < SILENT_MICROS).length;
}
