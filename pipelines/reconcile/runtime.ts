import type { Aggregation } from '#domain/metering/accumulator.ts';
import type { Difference, StoredSubject } from '#infra/reconcile/compare-subject.ts';
import type { CellOwner } from '#infra/usage/replace-cells.ts';
import { createRuntimeRegistry } from '#pipelines/beam/runtime-registry.ts';
import type { SubjectRecount } from '#pipelines/recount/recounted.ts';

/** A subject whose cells are not what its events make them. */
export interface DifferingSubject {
  readonly stored: StoredSubject;
  readonly recount: SubjectRecount;
  readonly differences: readonly Difference[];
}

/** What the comparison works with. */
export interface ReconcileRuntime {
  readonly aggregation: Aggregation;
  readonly owners: ReadonlySet<CellOwner>;
  /** By subject; those without cells are not in it. */
  readonly stored: ReadonlyMap<string, StoredSubject>;
  readonly compared: (differing: DifferingSubject | undefined) => void;
}

export const reconcileRuntimes = createRuntimeRegistry<ReconcileRuntime>();
