import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayStart } from '#domain/instant.ts';
import { writeAuditEntry, type AuditOrigin } from '#infra/audit/write-audit-entry.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import { ownersOf } from '#infra/customers/ownership.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { readYourWrites } from '#infra/database/read-your-writes.ts';
import { refreshLimitsOf } from '#infra/entitlements/refresh-limits.ts';
import {
  readStoredDay,
  replaceCells,
  type CellOwner,
  type NewHour,
  type NewValue,
  type StoredDay,
  type SubjectDay,
} from '#infra/usage/replace-cells.ts';
import { dirtyDay, subject as subjectTable } from '#infra/usage/tables.ts';
import type { Difference } from './compare-subject.ts';

export interface RepairSubject {
  readonly of: SubjectDay;
  readonly version: number;
  /** What was compared: the cells must still be so. */
  readonly stored: StoredDay;
  readonly hours: readonly NewHour[];
  readonly values: readonly NewValue[];
  readonly owners: ReadonlySet<CellOwner>;
  readonly differences: readonly Difference[];
  readonly origin: AuditOrigin;
  /** What the entry is about: a reconciliation, or a meter. */
  readonly target: string;
}

/** An entry of the audit names so many cells with what they were and are; the report has more. */
const CELLS_RECORDED_MAX = 20;

/**
 * Writes a subject's day anew from its events: hours, distinct values, day rows, and the limits that count them, in one transaction, with a record of
 * what was before. False, with nothing written, when the cells are not those that were compared any more: then they are to be compared again.
 */
export async function repairSubject(database: Database, repair: RepairSubject): Promise<boolean> {
  const { result } = await database.transact(async (tx) => {
    const now = await readStoredDay(tx, repair.of);
    if (textOf(now) !== textOf(repair.stored)) return false;
    await write(readYourWrites(tx), repair);
    record(tx, repair);
    return true;
  });
  return result;
}

async function write(
  tx: Transaction,
  { of, stored, hours, values, owners, origin }: RepairSubject,
): Promise<void> {
  const { closedThrough } = await readCatalogueRow(tx, of.namespace);
  await replaceCells(tx, of, { stored, hours, values, owners, closedThrough });
  tx.delete(dirtyDay, [of.namespace, of.meter, of.generation, of.day, of.subject]);
  const [row] = await tx.read(subjectTable, [[of.namespace, of.subject]]);
  if (row?.hasLimits !== true) return;
  for (const customer of ownersOf(row.customers))
    await refreshLimitsOf(tx, { namespace: of.namespace, customer, now: origin.now });
}

function record(tx: Transaction, { of, version, differences, origin, target }: RepairSubject): void {
  writeAuditEntry(tx, {
    ...origin,
    namespace: of.namespace,
    action: 'reconciliation.repair',
    target,
    details: {
      meter: of.meter,
      version,
      subject: of.subject,
      day: formatInstant(dayStart(of.day)),
      cells: differences.length,
      changes: differences
        .slice(0, CELLS_RECORDED_MAX)
        .map(({ cell, kind, stored, expected }) => ({ cell, kind, before: stored, after: expected })),
    },
  });
}

/** Of two equal days the same; the order of the rows is that of their keys. */
const textOf = (stored: StoredDay): string =>
  JSON.stringify(stored, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  );
