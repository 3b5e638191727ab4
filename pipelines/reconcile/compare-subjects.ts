import { compareSubject, type StoredSubject } from '#infra/reconcile/compare-subject.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import type { SubjectRecount } from '#pipelines/recount/recounted.ts';
import { reconcileRuntimes } from './runtime.ts';

export const nothingStored = (subject: string): StoredSubject => ({
  subject,
  cells: { hours: [], values: { stream: [], backfill: [] } },
  days: undefined,
  level: 0,
});

/** Compares what is stored of a subject's day with what its events come to. */
export class CompareSubjects implements SyncDoFn<SubjectRecount, never> {
  readonly runtimeName: string;

  constructor(runtimeName: string) {
    this.runtimeName = runtimeName;
  }

  process(recount: SubjectRecount, _emit: Emit<never>): void {
    const { aggregation, owners, stored: all, compared } = reconcileRuntimes.named(this.runtimeName);
    const stored = all.get(recount.subject) ?? nothingStored(recount.subject);
    const { hours, values } = recount;
    const differences = compareSubject(stored, { aggregation, owners, hours, values });
    compared(differences.length === 0 ? undefined : { stored, recount, differences });
  }
}
