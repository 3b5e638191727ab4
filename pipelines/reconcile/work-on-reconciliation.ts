import type { DayIndex } from '#domain/instant.ts';
import { readBackfill, type Backfill } from '#infra/backfill/backfill.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Database, Reads, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { whatViewLacks } from '#infra/backfill/view-completeness.ts';
import { labelOf, readReconciliation, type ReconciliationName } from '#infra/reconcile/reconciliations.ts';
import { openReconciliation, reconciliation, type ReconciliationRow } from '#infra/reconcile/tables.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { ReadWarehouse } from '#pipelines/recount/read-events.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { compareDays, type ComparedDay } from './compare-days.ts';
import { addReport, mergeReports, reportOfSubject, type DayReport } from './report-day.ts';
import { settleSubject } from './settle-subject.ts';

export interface WorkOnReconciliation extends ReconciliationName {
  readonly worker: string;
  readonly scheduler: Scheduler;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Instead of this process. */
  readonly reconcileSpan?: ReconcileSpan | undefined;
}

/** Days that are compared elsewhere in one go. */
const DAYS_PER_SPAN = 40;
const EXTEND_EVERY_MS = 20_000;

/** Compares days elsewhere: resolves once those of the span are reported, by `reportDay`. */
export type ReconcileSpan = (span: ReconciledSpan) => Promise<void>;

export interface ReconciledSpan extends ReconciliationName {
  readonly worker: string;
  readonly meter: MeterVersion;
  readonly backfill: Backfill | undefined;
  /** UTC days [firstDay, endDay). */
  readonly firstDay: DayIndex;
  readonly endDay: DayIndex;
  readonly signal?: AbortSignal | undefined;
}

interface Stores {
  readonly database: Database;
  readonly warehouse: ReadWarehouse;
}

/** A worker that shows no sign of life for so long has lost it. */
const LEASE_MICROS = 60_000_000;

/** Another worker has it now: whatever this one still writes would be of the past. */
export class ReconciliationLost extends Error {
  constructor(id: string) {
    super(`reconciliation ${id} is another worker's now`);
    this.name = 'ReconciliationLost';
  }
}

/**
 * Works on a reconciliation until it is done, or another worker has it. How far it is, is kept with what it found, so that whoever goes on begins
 * where the last one ended. Returns it as it is then.
 */
export async function workOnReconciliation(
  stores: Stores,
  work: WorkOnReconciliation,
): Promise<ReconciliationRow> {
  const { database } = stores;
  let row = await claim(database, work);
  while (row !== undefined && row.state === 'running') {
    const meter = await versionAt(database, row);
    if (meter === undefined) return finish(database, work, row);
    row = await reconcileVersion(stores, work, row, meter);
  }
  return row ?? readReconciliation(database, work);
}

/** Undefined while another worker has it. */
async function claim(
  database: Database,
  { namespace, id, worker, scheduler }: WorkOnReconciliation,
): Promise<ReconciliationRow | undefined> {
  const now = scheduler.now();
  const { result } = await database.transact(async (tx) => {
    const row = await readReconciliation(tx, { namespace, id });
    if (row.state === 'done') return row;
    if (row.worker !== worker && (row.leaseUntil ?? 0) > now) return undefined;
    const claimed = { ...row, worker, leaseUntil: now + LEASE_MICROS };
    tx.upsert(reconciliation, claimed);
    return claimed;
  });
  return result;
}

async function versionAt(database: Reads, row: ReconciliationRow): Promise<MeterVersion | undefined> {
  const label = row.versions[row.atVersion];
  if (label === undefined) return undefined;
  const versions = await readMeterVersions(database, row.namespace);
  const found = versions.find((each) => labelOf(each) === label);
  if (found === undefined) throw new Error(`there is no version ${label} of a meter`);
  return found;
}

/** Changes the row in a transaction of its own or of others, while it is this worker's. */
async function update(
  tx: Transaction,
  { namespace, id, worker, scheduler }: WorkOnReconciliation,
  change: (row: ReconciliationRow) => ReconciliationRow,
): Promise<ReconciliationRow> {
  const row = await readReconciliation(tx, { namespace, id });
  if (row.worker !== worker || row.state === 'done') throw new ReconciliationLost(id);
  const changed = { ...change(row), leaseUntil: scheduler.now() + LEASE_MICROS };
  tx.upsert(reconciliation, changed);
  return changed;
}

async function finish(
  database: Database,
  work: WorkOnReconciliation,
  row: ReconciliationRow,
): Promise<ReconciliationRow> {
  const { result } = await database.transact(async (tx) => {
    tx.delete(openReconciliation, [row.namespace, row.id]);
    return update(tx, work, (now) => ({
      ...now,
      state: 'done',
      worker: null,
      waitsFor: null,
      finishedAt: commitTimestamp,
    }));
  });
  return result;
}

function* daysFrom({ atDay, endDay }: ReconciliationRow): Generator<DayIndex, void> {
  for (let day = atDay; day < endDay; day++) yield day;
}

async function reconcileVersion(
  stores: Stores,
  work: WorkOnReconciliation,
  begun: ReconciliationRow,
  meter: MeterVersion,
): Promise<ReconciliationRow> {
  const { database } = stores;
  const { namespace, subjects } = begun;
  const counted = await countedBackfill(database, namespace, meter);
  const change = async (to: (row: ReconciliationRow) => ReconciliationRow): Promise<ReconciliationRow> =>
    (await database.transact((tx) => update(tx, work, to))).result;
  const toNext = (): Promise<ReconciliationRow> =>
    change((now) => ({ ...now, atVersion: now.atVersion + 1, atDay: now.firstDay }));
  if (work.reconcileSpan !== undefined) {
    await reconcileElsewhere(database, work, { row: begun, meter, backfill: counted });
    return toNext();
  }
  let row = begun;
  const comparing = compareDays(
    {
      ...stores,
      ...{ namespace, meter, scheduler: work.scheduler, signal: work.signal },
      backfill: counted,
      subjects: subjects ?? undefined,
      onWaiting: (waitsFor) => change((now) => ({ ...now, waitsFor: waitsFor ?? null })),
    },
    daysFrom(begun),
  );
  for await (const day of comparing) {
    row = await settleDay(database, work, { row, meter, day });
    tellProgress(work, row);
  }
  return toNext();
}

/** What was backfilled in the version; undefined before all of it is counted. */
async function countedBackfill(
  database: Reads,
  namespace: string,
  { key, version }: MeterVersion,
): Promise<Backfill | undefined> {
  const backfill = await readBackfill(database, { namespace, meter: key, version });
  const isCounted = backfill !== undefined && backfill.shards > 0 && backfill.partsDone === backfill.parts;
  return isCounted ? backfill : undefined;
}

const daysOfSpan = ({ atDay, endDay }: ReconciliationRow): Pick<ReconciledSpan, 'firstDay' | 'endDay'> => ({
  firstDay: atDay,
  endDay: Math.min(atDay + DAYS_PER_SPAN, endDay),
});

/** What of a reconciliation a worker would next have compared elsewhere; undefined at its end. Claims nothing. */
export async function nextSpan(
  database: Reads,
  { namespace, id }: ReconciliationName,
  worker: string,
): Promise<ReconciledSpan | undefined> {
  const row = await readReconciliation(database, { namespace, id });
  const meter = row.state === 'running' ? await versionAt(database, row) : undefined;
  if (meter === undefined) return undefined;
  const backfill = await countedBackfill(database, namespace, meter);
  return { namespace, id, worker, meter, backfill, ...daysOfSpan(row) };
}

function tellProgress({ onProgress }: WorkOnReconciliation, row: ReconciliationRow): void {
  const days = row.endDay - row.firstDay;
  onProgress?.(row.atVersion * days + row.atDay - row.firstDay, row.versions.length * days);
}

/** Span by span; what was reported of one that was cut off is not compared again. The row is kept this worker's meanwhile. */
async function reconcileElsewhere(
  database: Database,
  work: WorkOnReconciliation,
  { row, meter, backfill }: { row: ReconciliationRow; meter: MeterVersion; backfill: Backfill | undefined },
): Promise<void> {
  const { namespace, id, worker, signal } = work;
  for (let now = row; now.atDay < now.endDay;) {
    signal?.throwIfAborted();
    const days = daysOfSpan(now);
    const extend = telling(database, work);
    await keeping(work.scheduler, extend, async () =>
      work.reconcileSpan?.({ namespace, id, worker, meter, backfill, ...days, signal }),
    );
    now = await readReconciliation(database, work);
    if (now.worker !== worker) throw new ReconciliationLost(id);
    if (now.atDay < days.endDay)
      throw new Error(`reconciliation ${id}: a day was not reported after ${now.atDay}`);
    tellProgress(work, now);
  }
}

/**
 * Keeps the row this worker's, and tells what the workers of a span wait for: they look at cells that are younger than the span, so what the view
 * lacks of the time when it began is what they lack, too. In the end they have waited for it.
 */
function telling(database: Database, work: WorkOnReconciliation): () => Promise<unknown> {
  const begun = work.scheduler.now();
  return async () => {
    const waitsFor = (await whatViewLacks(database, work.namespace, begun)) ?? null;
    return database.transact((tx) => update(tx, work, (now) => ({ ...now, waitsFor })));
  };
}

/** Repeats something while the work takes. What fails of it shows in the next write. */
async function keeping<Result>(
  scheduler: Scheduler,
  extend: () => Promise<unknown>,
  work: () => Promise<Result>,
): Promise<Result> {
  const ended = new AbortController();
  const extending = (async () => {
    for (;;) {
      await scheduler.sleep(EXTEND_EVERY_MS, ended.signal);
      if (ended.signal.aborted) return;
      await extend().catch(() => undefined);
    }
  })();
  try {
    return await work();
  } finally {
    ended.abort();
    await extending;
  }
}

/**
 * Writes the report of one day that was compared elsewhere, in the name of the worker that has the reconciliation. Once only: a day that is behind
 * it, or not yet before it, is left alone. Throws `ReconciliationLost`.
 */
export async function reportDay(
  database: Database,
  of: Omit<WorkOnReconciliation, 'reconcileSpan'>,
  { meter, report }: { readonly meter: MeterVersion; readonly report: DayReport },
): Promise<void> {
  await database.transact((tx) =>
    update(tx, of, (now) =>
      now.atDay === report.day && now.versions[now.atVersion] === labelOf(meter)
        ? { ...addReport(tx, now, report), waitsFor: null }
        : now,
    ),
  );
}

/** Repairs what is to be repaired, then writes the report together with how far it is. Cut off in between, the day is compared again. */
async function settleDay(
  database: Database,
  work: WorkOnReconciliation,
  {
    row,
    meter,
    day,
  }: { readonly row: ReconciliationRow; readonly meter: MeterVersion; readonly day: ComparedDay },
): Promise<ReconciliationRow> {
  const reports: DayReport[] = [];
  for (const differing of day.differing) {
    const settle = { of: row, meter, day: day.day, owners: day.owners, now: work.scheduler.now() };
    reports.push(reportOfSubject(day.day, await settleSubject(database, settle, differing)));
  }
  const report = { ...mergeReports(day.day, reports), compared: day.compared };
  return (await database.transact((tx) => update(tx, work, (now) => addReport(tx, now, report)))).result;
}
