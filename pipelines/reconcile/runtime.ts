import type { Aggregation } from '#domain/metering/accumulator.ts';
import type { StoredSubject } from '#infra/reconcile/compare-subject.ts';
import type { Difference } from '#infra/reconcile/compare-subject.ts';
import type { CellOwner } from '#infra/usage/replace-cells.ts';
import type { SubjectRecount } from '#pipelines/recount/recounted.ts';

/** A subject whose cells are not what its events make them. */
export interface DifferingSubject {
  readonly stored: StoredSubject;
  readonly recount: SubjectRecount;
  readonly differences: readonly Difference[];
}

/** What the comparison works with on the machine it runs on. */
export interface ReconcileRuntime {
  readonly aggregation: Aggregation;
  readonly owners: ReadonlySet<CellOwner>;
  /** By subject; those without cells are not in it. */
  readonly stored: ReadonlyMap<string, StoredSubject>;
  readonly compared: (differing: DifferingSubject | undefined) => void;
}

const runtimes = new Map<string, ReconcileRuntime>();

export async function withReconcileRuntime<Result>(
  name: string,
  runtime: ReconcileRuntime,
  work: () => Promise<Result>,
): Promise<Result> {
  if (runtimes.has(name)) throw new Error(`the runtime ${name} is provided already`);
  runtimes.set(name, runtime);
  try {
    return await work();
  } finally {
    runtimes.delete(name);
  }
}

export function reconcileRuntimeNamed(name: string): ReconcileRuntime {
  const runtime = runtimes.get(name);
  if (runtime === undefined) throw new Error(`no runtime ${name} in this process`);
  return runtime;
}
