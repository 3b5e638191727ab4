import { randomUUID } from 'node:crypto';
import { claimParts, heldParts, PartLost } from '#infra/backfill/parts.ts';
import type { Reads } from '#infra/database/database.ts';
import { readReconciliation } from '#infra/reconcile/reconciliations.ts';
import { countPart } from '#pipelines/backfill/count-part.ts';
import { keepParts, type CountParts } from '#pipelines/backfill/work-on-backfill.ts';
import type { ReconcileSpan } from '#pipelines/reconcile/work-on-reconciliation.ts';
import { buildBackfillParts } from './backfill-graph.ts';
import type { BuildBatchGraph, RunJob } from './batch-job.ts';
import { buildReconcileDays } from './reconcile-graph.ts';
import { WORKER_RUNTIME, type BatchRuntime } from './runtime.ts';

export interface DistributedBatchOptions extends BatchRuntime {
  readonly runJob: RunJob;
  /** Where the DoFns find their stores; those of each worker's environment where nothing is said. */
  readonly runtimeName?: string;
  readonly partsPerJob?: number;
}

/** What a worker on a batch operation hands to a distributed engine instead of doing it itself. */
export interface DistributedBatch {
  readonly countParts: CountParts;
  readonly reconcileSpan: ReconcileSpan;
}

/** Parts that one job counts: enough that its beginning and end do not count, few enough that what is shuffled has bounds. */
const PARTS_PER_JOB = 200;
/** Of a job's name, so that the names of one backfill's jobs differ. */
const NAME_DIGITS = 8;

/**
 * Counts and compares by jobs of a distributed engine. All that a job does is written by its workers, part by part, where it belongs; so whoever goes
 * on after a failure, of whatever it is, goes on from what is stored.
 */
export function createDistributedBatch(options: DistributedBatchOptions): DistributedBatch {
  return {
    countParts: (of) => countParts(options, of),
    reconcileSpan: (span) => reconcileSpan(options, span),
  };
}

const jobName = (what: string): string => `millrace-${what}-${randomUUID().slice(0, NAME_DIGITS)}`;

async function countParts(
  {
    database,
    warehouse,
    scheduler,
    runJob,
    runtimeName = WORKER_RUNTIME,
    partsPerJob,
  }: DistributedBatchOptions,
  { backfill, meter, worker, signal }: Parameters<CountParts>[0],
): Promise<number> {
  const claim = { worker, now: scheduler.now(), limit: partsPerJob ?? PARTS_PER_JOB };
  const parts = await claimParts(database, backfill, claim);
  if (parts.length === 0) return 0;
  const lease = keepParts(database, { scheduler }, parts);
  try {
    const graph = { runtimeName, backfill, meter, worker };
    await runJob(jobName('backfill'), (begin) => buildBackfillParts(begin, graph), signal);
    // What was corrected while the job ran is counted here, which looks at those subjects again and at no others.
    for (const part of await heldParts(database, backfill, worker)) {
      signal?.throwIfAborted();
      await countPart({ database, warehouse, backfill, meter, part, signal }).catch((error: unknown) => {
        if (!(error instanceof PartLost)) throw error;
      });
    }
  } finally {
    await lease.end();
  }
  return parts.length;
}

async function reconcileSpan(
  { database, runJob, runtimeName = WORKER_RUNTIME }: DistributedBatchOptions,
  span: Parameters<ReconcileSpan>[0],
): Promise<void> {
  await runJob(jobName('reconcile'), await graphOfSpan(database, span, runtimeName), span.signal);
}

/** The graph that compares a span of days. */
export async function graphOfSpan(
  database: Reads,
  { namespace, id, worker, meter, backfill, firstDay, endDay }: Parameters<ReconcileSpan>[0],
  runtimeName = WORKER_RUNTIME,
): Promise<BuildBatchGraph> {
  const { repair, trustsView, principal, reason } = await readReconciliation(database, { namespace, id });
  const span = { namespace, id, worker, firstDay, endDay };
  const reconciling = { namespace, id, repair, trustsView, principal, reason };
  const graph = { runtimeName, span, reconciling, meter, backfill };
  return (begin) => buildReconcileDays(begin, graph);
}
