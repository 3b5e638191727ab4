import { openBackfills } from '#infra/backfill/backfill.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import { openReconciliations } from '#infra/reconcile/reconciliations.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { dirtyDay } from '#infra/usage/tables.ts';
import type { ReadWarehouse } from '#pipelines/recount/read-events.ts';
import { workOnBackfill } from '#pipelines/backfill/work-on-backfill.ts';
import { recountDirtyDays } from '#pipelines/reconcile/recount-dirty-days.ts';
import { workOnReconciliation } from '#pipelines/reconcile/work-on-reconciliation.ts';
import type { Log } from '#pipelines/runner/log.ts';

/** Whether there is anything that batch pipelines have to do: some looks at tables that are mostly empty. */
export async function hasOpenWork(from: Reads): Promise<boolean> {
  if ((await openBackfills(from)).length > 0) return true;
  if ((await openReconciliations(from)).length > 0) return true;
  for await (const _ of from.scan(dirtyDay, { prefix: [] }, { limit: 1 })) return true;
  return false;
}

export interface BatchWork {
  readonly database: Database;
  readonly warehouse: ReadWarehouse;
  readonly worker: string;
  readonly scheduler: Scheduler;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Does what was asked for over HTTP or left by voids, one thing after the other: reconciliations, cells that wait to be computed again, backfills. What
 * fails is logged and left for the next round, and keeps nothing else from being done. Returns whether all of it is done.
 */
export async function workOnOpen({ log, signal, ...work }: BatchWork): Promise<boolean> {
  const { database, ...how } = work;
  let isDone = true;
  const attempt = async (what: object, act: () => Promise<unknown>): Promise<void> => {
    if (signal.aborted) return;
    try {
      log.info(what, 'batch work begins');
      await act();
    } catch (error) {
      isDone = false;
      if (!signal.aborted) log.warn({ err: error, ...what }, 'batch work was cut off, and goes on later');
    }
  };
  for (const name of await openReconciliations(database))
    await attempt(name, () => workOnReconciliation(work, { ...name, ...how, signal }));
  await attempt({ what: 'dirty days' }, async () => {
    const { left } = await recountDirtyDays(work, { signal });
    if (left > 0)
      log.warn(
        { subjects: left },
        'cells wait to be computed again, and the warehouse has fewer events than they',
      );
  });
  for (const { namespace, meter, version } of await openBackfills(database)) {
    const name = { namespace, meter, version };
    await attempt(name, () => workOnBackfill(work, { ...name, ...how, signal }));
  }
  return isDone && !(await hasOpenWork(database));
}
