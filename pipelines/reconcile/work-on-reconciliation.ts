import type { DayIndex } from '#domain/instant.ts';
import { DIFFERENCES_REPORTED_MAX } from '#domain/limits.ts';
import { readBackfill } from '#infra/backfill/backfill.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { viewHasFewer } from '#infra/reconcile/compare-subject.ts';
import { labelOf, readReconciliation, type ReconciliationName } from '#infra/reconcile/reconciliations.ts';
import { repairSubject } from '#infra/reconcile/repair-subject.ts';
import {
  openReconciliation,
  reconciliation,
  reconciliationDifference,
  type DifferenceOutcome,
  type DifferenceRow,
  type ReconciliationRow,
} from '#infra/reconcile/tables.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { compareDays, type ComparedDay } from './compare-days.ts';
import type { DifferingSubject } from './runtime.ts';

export interface WorkOnReconciliation extends ReconciliationName {
  readonly worker: string;
  readonly scheduler: Scheduler;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

interface Stores {
  readonly database: Database;
  readonly warehouse: Pick<Warehouse, 'query'>;
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

async function versionAt(database: Database, row: ReconciliationRow): Promise<MeterVersion | undefined> {
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
  const backfill = await readBackfill(database, { namespace, meter: meter.key, version: meter.version });
  const isCounted = backfill !== undefined && backfill.shards > 0 && backfill.partsDone === backfill.parts;
  const change = async (to: (row: ReconciliationRow) => ReconciliationRow): Promise<ReconciliationRow> =>
    (await database.transact((tx) => update(tx, work, to))).result;
  let row = begun;
  const comparing = compareDays(
    {
      ...stores,
      ...{ namespace, meter, scheduler: work.scheduler, signal: work.signal },
      backfill: isCounted ? backfill : undefined,
      subjects: subjects ?? undefined,
      onWaiting: (waitsFor) => change((now) => ({ ...now, waitsFor: waitsFor ?? null })),
    },
    daysFrom(begun),
  );
  for await (const day of comparing) {
    row = await settleDay(database, work, { row, meter, day });
    work.onProgress?.(
      row.atVersion * (row.endDay - row.firstDay) + row.atDay - row.firstDay,
      row.versions.length * (row.endDay - row.firstDay),
    );
  }
  return change((now) => ({ ...now, atVersion: now.atVersion + 1, atDay: now.firstDay }));
}

interface SettledDay {
  readonly row: ReconciliationRow;
  readonly meter: MeterVersion;
  readonly day: ComparedDay;
}

/** Repairs what is to be repaired, then writes the report together with how far it is. Cut off in between, the day is compared again. */
async function settleDay(
  database: Database,
  work: WorkOnReconciliation,
  settled: SettledDay,
): Promise<ReconciliationRow> {
  const { day } = settled;
  const outcomes: DifferenceOutcome[] = [];
  for (const differing of day.differing)
    outcomes.push(await settleSubject(database, work, settled, differing));
  const rows = day.differing.flatMap((differing, place) =>
    differing.differences.map((each): DifferenceRow => ({
      namespace: work.namespace,
      reconciliation: work.id,
      meter: settled.meter.key,
      version: settled.meter.version,
      day: day.day,
      subject: differing.stored.subject,
      ...each,
      outcome: outcomes[place] ?? 'reported',
    })),
  );
  const repaired = rows.filter(({ outcome }) => outcome === 'repaired').length;
  const { result } = await database.transact((tx) =>
    update(tx, work, (now) => {
      const kept = rows
        .slice(0, Math.max(DIFFERENCES_REPORTED_MAX - now.reported, 0))
        .slice(0, REPORTED_PER_DAY_MAX);
      for (const row of kept) tx.upsert(reconciliationDifference, row);
      return {
        ...now,
        atDay: day.day + 1,
        compared: now.compared + day.compared,
        differing: now.differing + day.differing.length,
        differences: now.differences + rows.length,
        repaired: now.repaired + repaired,
        reported: now.reported + kept.length,
      };
    }),
  );
  return result;
}

/** Rows of one transaction. */
const REPORTED_PER_DAY_MAX = 1_000;

async function settleSubject(
  database: Database,
  work: WorkOnReconciliation,
  { row, meter, day }: SettledDay,
  { stored, recount, differences }: DifferingSubject,
): Promise<DifferenceOutcome> {
  if (!row.repair) return 'reported';
  if (viewHasFewer(differences) && !row.trustsView) return 'view_incomplete';
  const { namespace, principal, reason } = row;
  const isRepaired = await repairSubject(database, {
    of: {
      ...{ namespace, subject: stored.subject, meter: meter.key, generation: meter.generation },
      aggregation: meter.definition.aggregation,
      day: day.day,
    },
    version: meter.version,
    stored: stored.cells,
    hours: recount.hours,
    values: recount.values,
    owners: day.owners,
    differences,
    origin: { principal, reason, now: work.scheduler.now() },
    target: row.id,
  });
  return isRepaired ? 'repaired' : 'moved';
}
