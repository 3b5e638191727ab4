import type { MeterVersion } from '#domain/metering/meter.ts';
import { daysOf, type Backfill } from '#infra/backfill/backfill.ts';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { combinePerKey } from '#pipelines/beam/combining.ts';
import { dealOut } from '#pipelines/beam/deal-out.ts';
import { apply, flatten } from '#pipelines/beam/graph.ts';
import { groupPerKey, type Keyed } from '#pipelines/beam/grouping.ts';
import { moduleName, register } from '#pipelines/beam/registration.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import type { Reconciling } from '#pipelines/reconcile/settle-subject.ts';
import { recountFolded } from '#pipelines/recount/graph.ts';
import { DayCombiner, dayOfTally, type DayTally } from './day-tally.ts';
import { ListDays, nameOfDay, ReadDay, type SpanOfDays } from './reconcile-days.ts';
import { SelectFolded, SelectTallies } from './read-batch.ts';
import { ReportDays, SettleSubjects, together } from './settle-subjects.ts';
import './stages.ts';

// Workers load this module by name and find in it every function of the graph.
register(moduleName(import.meta.url), {
  DayCombiner,
  dayOfTally,
  ListDays,
  nameOfDay,
  ReadDay,
  ReportDays,
  SettleSubjects,
  together,
});

export interface ReconcileGraph {
  readonly runtimeName: string;
  readonly span: SpanOfDays;
  readonly reconciling: Reconciling;
  readonly meter: MeterVersion;
  /** What was backfilled in the version, once all of it is counted. */
  readonly backfill: Backfill | undefined;
}

/** Days that one bundle reads at once: while one waits for the view, another is folded. */
const DAYS_READ_AT_ONCE = 2;
/** Transactions that one bundle has under way. */
const REPAIRS_AT_ONCE = 4;

/**
 * Compares a span of days with their events: from one element on, whatever it is, the days are listed, dealt out, read with their cells, recounted,
 * compared subject by subject, and reported day by day in their order.
 */
export function buildReconcileDays(
  begin: PCollection<unknown>,
  { runtimeName, span, reconciling, meter, backfill }: ReconcileGraph,
): void {
  const backfilled = backfill ? daysOf(backfill) : null;
  const of = { namespace: span.namespace, meter, backfilled, only: 'all' } as const;
  const owners = backfill ? (['stream', 'backfill'] as const) : (['stream'] as const);
  const days = apply('list', begin, asyncParDo(new ListDays(runtimeName, span, meter)));
  const dealt = apply('deal out', days, dealOut(nameOfDay));
  const reading = asyncParDo(new ReadDay(runtimeName, span, of), { maxInFlight: DAYS_READ_AT_ONCE });
  const read = apply('read', dealt, reading);
  const recounted = recountFolded(apply('folded', read, syncParDo(new SelectFolded())), of);
  const settling = asyncParDo(new SettleSubjects(runtimeName, { of: reconciling, meter, owners }), {
    maxInFlight: REPAIRS_AT_ONCE,
  });
  const settled = apply('settle', recounted, settling);
  const wholly = apply('read wholly', read, syncParDo(new SelectTallies<DayTally>()));
  const tallies = flatten<DayTally>('reports', [wholly, settled]);
  const ofDays = apply('by day', tallies, combinePerKey(dayOfTally, new DayCombiner()));
  const inOrder = apply('in order', ofDays, groupPerKey<Keyed<DayTally>>(together));
  apply('report', inOrder, asyncParDo(new ReportDays(runtimeName, span, meter)));
}
