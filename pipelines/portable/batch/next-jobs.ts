import { backfilledVersion, openBackfills, readBackfill } from '#infra/backfill/backfill.ts';
import type { Reads } from '#infra/database/database.ts';
import { openReconciliations } from '#infra/reconcile/reconciliations.ts';
import { nextSpan } from '#pipelines/reconcile/work-on-reconciliation.ts';
import { buildBackfillParts } from './backfill-graph.ts';
import type { BuildBatchGraph } from './batch-job.ts';
import { graphOfSpan } from './distributed-batch.ts';
import type { BatchKind } from './run.ts';
import { WORKER_RUNTIME } from './runtime.ts';

export interface NextJobs {
  readonly jobs: readonly { readonly name: string; readonly build: BuildBatchGraph }[];
  /** Open work that would have no job now, a sentence each. */
  readonly without: readonly string[];
}

/** In the place of the worker that would claim the work. */
const NOBODY = 'nobody';

/** The job that each open operation would be given next, for whoever wants to see it before. Claims nothing, and is the same as long as they are. */
export const nextJobs = (database: Reads, what: BatchKind): Promise<NextJobs> =>
  what === 'backfill' ? nextOfBackfills(database) : nextOfReconciliations(database);

async function nextOfReconciliations(database: Reads): Promise<NextJobs> {
  const open = await openReconciliations(database);
  const found = await Promise.all(
    open.map(async (each, place) => {
      const span = await nextSpan(database, each, NOBODY);
      if (span === undefined) return { without: `reconciliation ${each.id} has been compared to its end` };
      return { name: `millrace-reconcile-${place + 1}`, build: await graphOfSpan(database, span) };
    }),
  );
  return nextOf(found);
}

async function nextOfBackfills(database: Reads): Promise<NextJobs> {
  const open = await openBackfills(database);
  const found = await Promise.all(
    open.map(async ({ namespace, meter: key, version }, place) => {
      const name = { namespace, meter: key, version };
      const backfill = await readBackfill(database, name);
      if (backfill === undefined || backfill.state !== 'counting')
        return {
          without: `the backfill of ${key}@${version} is ${backfill?.state ?? 'gone'}: parts are counted by a job`,
        };
      const meter = await backfilledVersion(database, name);
      const graph = { runtimeName: WORKER_RUNTIME, backfill, meter, worker: NOBODY };
      const build: BuildBatchGraph = (begin) => buildBackfillParts(begin, graph);
      return { name: `millrace-backfill-${place + 1}`, build };
    }),
  );
  return nextOf(found);
}

type Found = NextJobs['jobs'][number] | { readonly without: string };

const nextOf = (found: readonly Found[]): NextJobs => ({
  jobs: found.filter((each) => 'build' in each),
  without: found.flatMap((each) => ('without' in each ? [each.without] : [])),
});
