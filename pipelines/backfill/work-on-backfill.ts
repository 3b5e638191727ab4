import { dayStart } from '#domain/instant.ts';
import {
  backfilledVersion,
  isEnded,
  readBackfill,
  type Backfill,
  type BackfillName,
} from '#infra/backfill/backfill.ts';
import { claimPart, extendParts, PartLost, planParts, type BackfillPart } from '#infra/backfill/parts.ts';
import { recountLimitsOfMeter } from '#infra/backfill/recount-limits.ts';
import type { BackfillState } from '#infra/backfill/tables.ts';
import { meterBackfill } from '#infra/catalogue/tables.ts';
import type { Database } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import {
  createReconciliation,
  readReconciliation,
  type ReconciliationName,
} from '#infra/reconcile/reconciliations.ts';
import { reconciliationDifference } from '#infra/reconcile/tables.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { ReadWarehouse } from '#pipelines/recount/read-events.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { workOnReconciliation, type ReconcileSpan } from '#pipelines/reconcile/work-on-reconciliation.ts';
import { awaitView } from '#pipelines/recount/await-view.ts';
import { eventsByDay } from '#pipelines/recount/count-days.ts';
import { countPart } from './count-part.ts';

export interface WorkOnBackfill extends BackfillName {
  readonly worker: string;
  readonly scheduler: Scheduler;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Backfill) => void) | undefined;
  /** Instead of this process. */
  readonly countParts?: CountParts | undefined;
  readonly reconcileSpan?: ReconcileSpan | undefined;
}

/** Counts parts elsewhere. Resolves with how many of them it had, 0 where others have all that are left. */
export type CountParts = (of: {
  readonly backfill: Backfill;
  readonly meter: MeterVersion;
  readonly worker: string;
  readonly signal?: AbortSignal | undefined;
}) => Promise<number>;

interface Stores {
  readonly database: Database;
  readonly warehouse: ReadWarehouse;
}

/** While other workers have all parts that are left. */
const PAUSE_MS = 500;
const EXTEND_EVERY_MS = 5_000;

/**
 * Works on a backfill until it is at its end, beside any number of others. Every step is kept before the next one begins, and can be done again: a
 * worker that is killed leaves nothing that another could not go on from. Returns the backfill as it is then.
 */
export async function workOnBackfill(stores: Stores, work: WorkOnBackfill): Promise<Backfill> {
  for (;;) {
    work.signal?.throwIfAborted();
    const backfill = await readBackfill(stores.database, work);
    if (backfill === undefined) throw new Error(`there is no backfill of ${work.meter}@${work.version}`);
    work.onProgress?.(backfill);
    if (isEnded(backfill)) return backfill;
    await STEPS[backfill.state as keyof typeof STEPS](stores, work, backfill);
  }
}

type Step = (stores: Stores, work: WorkOnBackfill, backfill: Backfill) => Promise<void>;

const STEPS: Readonly<Record<Exclude<BackfillState, 'complete' | 'different'>, Step>> = {
  waiting: begin,
  counting: count,
  limits: recountLimits,
  reconciling: reconcile,
};

/** Changes a backfill that is still in the state in which it was found; another worker may have done the step already. */
async function change(database: Database, found: Backfill, to: Partial<Backfill>): Promise<void> {
  await database.transact(async (tx) => {
    const now = await readBackfill(tx, found);
    if (now?.state === found.state) tx.upsert(meterBackfill, { ...now, ...to });
  });
}

/** Waits until the view has all events below the cut-off, and lays out the parts. */
async function begin(
  { database, warehouse }: Stores,
  work: WorkOnBackfill,
  backfill: Backfill,
): Promise<void> {
  const { namespace, startedAt: at } = backfill;
  const { scheduler, signal } = work;
  const onWaiting = (waitsFor: string | undefined): Promise<void> =>
    change(database, backfill, { waitsFor: waitsFor ?? null });
  await awaitView({ database, namespace, at, scheduler, signal, onWaiting });
  const { definition } = await backfilledVersion(database, work);
  await planParts(database, work, await eventsByDay(warehouse, { ...backfill, type: definition.eventType }));
}

async function count(stores: Stores, work: WorkOnBackfill, backfill: Backfill): Promise<void> {
  const { database } = stores;
  if (backfill.partsDone === backfill.parts) return change(database, backfill, { state: 'limits' });
  if (work.countParts !== undefined) {
    const meter = await backfilledVersion(database, work);
    const counted = await work.countParts({ backfill, meter, worker: work.worker, signal: work.signal });
    return counted > 0 ? undefined : work.scheduler.sleep(PAUSE_MS, work.signal);
  }
  const part = await claimPart(database, work, { worker: work.worker, now: work.scheduler.now() });
  if (part === undefined) return work.scheduler.sleep(PAUSE_MS, work.signal);
  const lease = keepParts(database, work, [part]);
  try {
    await countPart({
      ...stores,
      backfill,
      meter: await backfilledVersion(database, work),
      part,
      signal: work.signal,
    });
  } catch (error) {
    if (!(error instanceof PartLost)) throw error;
  } finally {
    await lease.end();
  }
}

/** Keeps parts this worker's while it works on them. One that is lost is noticed by the next write. */
export function keepParts(
  database: Database,
  { scheduler }: Pick<WorkOnBackfill, 'scheduler'>,
  parts: readonly BackfillPart[],
) {
  const ended = new AbortController();
  const keeping = (async () => {
    for (;;) {
      await scheduler.sleep(EXTEND_EVERY_MS, ended.signal);
      if (ended.signal.aborted) return;
      await extendParts(database, parts, scheduler.now()).catch(() => undefined);
    }
  })();
  return {
    end: async (): Promise<void> => {
      ended.abort();
      await keeping;
    },
  };
}

async function recountLimits(
  { database }: Stores,
  { scheduler }: WorkOnBackfill,
  backfill: Backfill,
): Promise<void> {
  await recountLimitsOfMeter(database, { ...backfill, now: scheduler.now });
  await change(database, backfill, { state: 'reconciling' });
}

/**
 * Compares what was written with the events, as any other cells, and mends what voids have left without an inverse: nobody reads it yet. What
 * cannot be mended makes the backfill `different`, and the report says why.
 */
async function reconcile(stores: Stores, work: WorkOnBackfill, backfill: Backfill): Promise<void> {
  const { database } = stores;
  const { namespace } = backfill;
  const id = backfill.reconciliation ?? (await makeReconciliation(database, work, backfill));
  if (id === null) return;
  const { worker, scheduler, signal, reconcileSpan } = work;
  await workOnReconciliation(stores, { namespace, id, worker, scheduler, signal, reconcileSpan });
  const { state, differences, repaired } = await readReconciliation(database, { namespace, id });
  if (state !== 'done') return scheduler.sleep(PAUSE_MS, signal);
  if (differences === repaired)
    return change(database, backfill, { state: 'complete', completedAt: commitTimestamp });
  await change(
    database,
    backfill,
    (await isOnlyMoved(database, { namespace, id })) ? { reconciliation: null } : { state: 'different' },
  );
}

/** What corrections and late events have changed between comparison and repair is compared again. */
async function isOnlyMoved(database: Database, { namespace, id }: ReconciliationName): Promise<boolean> {
  for await (const { outcome } of database.scan(reconciliationDifference, { prefix: [namespace, id] }))
    if (outcome !== 'repaired' && outcome !== 'moved') return false;
  return true;
}

/** Null when another worker has just made one, or gone further. */
async function makeReconciliation(
  database: Database,
  { scheduler }: WorkOnBackfill,
  backfill: Backfill,
): Promise<string | null> {
  const { namespace, meter, version, firstDay, endDay } = backfill;
  const { result } = await database.transact(async (tx) => {
    const now = await readBackfill(tx, backfill);
    if (now?.state !== 'reconciling' || now.reconciliation !== null) return null;
    const { id } = await createReconciliation(tx, {
      namespace,
      from: dayStart(firstDay),
      to: dayStart(endDay),
      version: { meter, version },
      repair: true,
      principal: 'system:backfill',
      reason: `backfill of version ${version} of ${meter}`,
      now: scheduler.now(),
    });
    tx.upsert(meterBackfill, { ...now, reconciliation: id });
    return id;
  });
  return result;
}
