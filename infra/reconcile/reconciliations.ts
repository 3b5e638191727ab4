import { v7 as uuidV7 } from 'uuid';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayOf, dayStart, MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { RECONCILED_DAYS_MAX, RECONCILED_SUBJECTS_MAX } from '#domain/limits.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Violation } from '#domain/violation.ts';
import { writeAuditEntry, type AuditOrigin } from '#infra/audit/write-audit-entry.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { ReconcileError } from './errors.ts';
import {
  openReconciliation,
  reconciliation,
  reconciliationDifference,
  type DifferenceRow,
  type ReconciliationRow,
} from './tables.ts';

export interface CreateReconciliation extends AuditOrigin {
  readonly namespace: string;
  /** Event times [from, to), moved out to whole UTC days. */
  readonly from: Instant;
  readonly to: Instant;
  /** Only these meters; all where nothing is said. */
  readonly meters?: readonly string[] | undefined;
  /** Only this version of one meter, whatever its state. */
  readonly version?: { readonly meter: string; readonly version: number } | undefined;
  readonly subjects?: readonly string[] | undefined;
  /** Writes what differs anew from the events. */
  readonly repair?: boolean | undefined;
  /** Repairs also where the cells have more events than the view: for who knows that the view has lost none. */
  readonly trustView?: boolean | undefined;
}

export const labelOf = ({ key, version }: Pick<MeterVersion, 'key' | 'version'>): string =>
  `${key}@${version}`;

/** Asks for a reconciliation: whoever works on them takes it up. Throws `ReconcileError` `invalid_reconciliation` with every fault. */
export async function createReconciliation(
  tx: Transaction,
  request: CreateReconciliation,
): Promise<ReconciliationRow> {
  const { namespace, from, to, subjects, repair = false, trustView = false, now } = request;
  const versions = await readMeterVersions(tx, namespace);
  const faults = faultsOf(request, versions);
  if (faults.length > 0) throw new ReconcileError('invalid_reconciliation', sentenceOf(faults), faults);
  const firstDay = dayOf(from);
  const row: ReconciliationRow = {
    namespace,
    id: uuidV7({ msecs: Math.floor(now / MICROS_PER_MILLI) }),
    state: 'running',
    firstDay,
    endDay: dayOf(to - 1) + 1,
    versions: versions.filter((each) => isMeant(request, each)).map(labelOf),
    subjects: subjects === undefined ? null : [...new Set(subjects)].sort(),
    repair,
    trustsView: trustView,
    atVersion: 0,
    atDay: firstDay,
    ...{ waitsFor: null, worker: null, leaseUntil: null },
    ...{ compared: 0, differing: 0, differences: 0, repaired: 0, reported: 0 },
    principal: request.principal,
    reason: request.reason,
    createdAt: commitTimestamp,
    finishedAt: null,
  };
  tx.insert(reconciliation, row);
  tx.insert(openReconciliation, { namespace, id: row.id });
  const details = {
    from: formatInstant(dayStart(row.firstDay)),
    to: formatInstant(dayStart(row.endDay)),
    versions: row.versions,
    repair,
    trustView,
  };
  writeAuditEntry(tx, { ...request, action: 'reconciliation.create', target: row.id, details });
  return row;
}

/** What has ended is not written any more, and so is left as it is. */
const isMeant = ({ meters, version }: CreateReconciliation, each: MeterVersion): boolean =>
  version === undefined
    ? each.state !== 'ended' && (meters === undefined || meters.includes(each.key))
    : each.key === version.meter && each.version === version.version;

function faultsOf(
  { from, to, meters, subjects, now }: CreateReconciliation,
  versions: readonly MeterVersion[],
): Violation[] {
  const faults: Violation[] = [];
  if (to <= from) faults.push({ pointer: '/to', code: 'out_of_range', message: 'is not after from' });
  if (dayOf(to - 1) - dayOf(from) >= RECONCILED_DAYS_MAX)
    faults.push({
      pointer: '/to',
      code: 'out_of_range',
      message: `is more than ${RECONCILED_DAYS_MAX} days after from`,
    });
  if (from < now - RECONCILED_DAYS_MAX * 86_400_000_000)
    faults.push({
      pointer: '/from',
      code: 'out_of_range',
      message: `is more than ${RECONCILED_DAYS_MAX} days ago: cells of hours are kept for that long`,
    });
  if (subjects !== undefined && (subjects.length === 0 || subjects.length > RECONCILED_SUBJECTS_MAX))
    faults.push({
      pointer: '/subjects',
      code: 'out_of_range',
      message: `must be 1 to ${RECONCILED_SUBJECTS_MAX} subjects`,
    });
  meters?.forEach((key, place) => {
    if (!versions.some((each) => each.key === key))
      faults.push({
        pointer: `/meters/${place}`,
        code: 'meter_not_found',
        message: `there is no meter ${key}`,
      });
  });
  return faults;
}

export interface ReconciliationName {
  readonly namespace: string;
  readonly id: string;
}

/** Throws `ReconcileError` `reconciliation_not_found`. */
export async function readReconciliation(
  from: Reads,
  { namespace, id }: ReconciliationName,
): Promise<ReconciliationRow> {
  const [row] = await from.read(reconciliation, [[namespace, id]]);
  if (row === undefined)
    throw new ReconcileError('reconciliation_not_found', `there is no reconciliation ${id}`);
  return row;
}

/** The newest first; `before` is the id of the last one of the page before. */
export const listReconciliations = (
  from: Reads,
  namespace: string,
  { before, limit }: { readonly before?: string | undefined; readonly limit: number },
): Promise<ReconciliationRow[]> =>
  Array.fromAsync(
    from.scan(
      reconciliation,
      { prefix: [namespace], ...(before === undefined ? {} : { to: before }) },
      { reverse: true, limit },
    ),
  );

/** Of a namespace, or of all of them. */
export const openReconciliations = (
  from: Reads,
  ...prefix: readonly string[]
): Promise<ReconciliationName[]> => Array.fromAsync(from.scan(openReconciliation, { prefix }));

/** Where a difference stands in its report. */
export type DifferencePlace = readonly [
  meter: string,
  version: number,
  day: number,
  subject: string,
  cell: string,
];

export const placeOf = ({ meter, version, day, subject, cell }: DifferenceRow): DifferencePlace => [
  meter,
  version,
  day,
  subject,
  cell,
];

/** A page of the report, in the order of meter, version, day, subject and cell; those after a place. */
export async function listDifferences(
  from: Reads,
  { namespace, id }: ReconciliationName,
  { after, limit }: { readonly after?: DifferencePlace | undefined; readonly limit: number },
): Promise<DifferenceRow[]> {
  const found: DifferenceRow[] = [];
  for (const range of rangesAfter([namespace, id], after)) {
    for await (const row of from.scan(reconciliationDifference, range, { limit: limit - found.length }))
      found.push(row);
    if (found.length >= limit) break;
  }
  return found;
}

/** All keys after one: those that begin as it does up to some part and go on beyond it, from the longest beginning on. */
function rangesAfter(prefix: readonly (string | number)[], after: DifferencePlace | undefined) {
  if (after === undefined) return [{ prefix }];
  return [4, 3, 2, 1, 0].map((length) => {
    const last = after[length];
    return {
      prefix: [...prefix, ...after.slice(0, length)],
      from: typeof last === 'number' ? last + 1 : `${last ?? ''}\0`,
    };
  });
}
