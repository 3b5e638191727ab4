import { viewHasFewer } from '#infra/reconcile/compare-subject.ts';
import { repairSubject } from '#infra/reconcile/repair-subject.ts';
import type { DifferenceOutcome, DifferenceRow, ReconciliationRow } from '#infra/reconcile/tables.ts';
import type { DayIndex, Instant } from '#domain/instant.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Database } from '#infra/database/database.ts';
import type { CellOwner } from '#infra/usage/replace-cells.ts';
import type { DifferingSubject } from './runtime.ts';

/** What a reconciliation is to do about differences, and in whose name. */
export type Reconciling = Pick<
  ReconciliationRow,
  'namespace' | 'id' | 'repair' | 'trustsView' | 'principal' | 'reason'
>;

export interface SettleSubject {
  readonly of: Reconciling;
  readonly meter: MeterVersion;
  readonly day: DayIndex;
  readonly owners: ReadonlySet<CellOwner>;
  readonly now: Instant;
}

/** Repairs what is to be repaired of a subject's day, and returns its differences as the report has them. Done again, it finds nothing to repair. */
export async function settleSubject(
  database: Database,
  settle: SettleSubject,
  differing: DifferingSubject,
): Promise<DifferenceRow[]> {
  const { of, meter, day } = settle;
  const outcome = await outcomeOf(database, settle, differing);
  return differing.differences.map((each) => ({
    ...{ namespace: of.namespace, reconciliation: of.id, meter: meter.key, version: meter.version, day },
    subject: differing.stored.subject,
    ...each,
    outcome,
  }));
}

async function outcomeOf(
  database: Database,
  { of, meter, day, owners, now }: SettleSubject,
  { stored, recount, differences }: DifferingSubject,
): Promise<DifferenceOutcome> {
  if (!of.repair) return 'reported';
  if (viewHasFewer(differences) && !of.trustsView) return 'view_incomplete';
  const { namespace, principal, reason } = of;
  const isRepaired = await repairSubject(database, {
    of: {
      ...{ namespace, subject: stored.subject, meter: meter.key, generation: meter.generation },
      aggregation: meter.definition.aggregation,
      day,
    },
    version: meter.version,
    stored: stored.cells,
    hours: recount.hours,
    values: recount.values,
    owners,
    differences,
    origin: { principal, reason, now },
    target: of.id,
  });
  return isRepaired ? 'repaired' : 'moved';
}
