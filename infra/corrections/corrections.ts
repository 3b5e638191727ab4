import { v7 as uuidV7 } from 'uuid';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import type { AuditAction } from '#infra/audit/actions.ts';
import { writeAuditEntry, type AuditOrigin } from '#infra/audit/write-audit-entry.ts';
import type { Database, Reads, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { CorrectionError } from './errors.ts';
import type { PreparedCorrection } from './prepare-correction.ts';
import {
  correction,
  NOTHING_CORRECTED,
  openCorrection,
  type CorrectionRow,
  type CorrectionState,
} from './tables.ts';

/** Asks for a correction: whoever works on corrections takes it up. It is recorded, with its reason. */
export function createCorrection(
  tx: Transaction,
  prepared: PreparedCorrection,
  origin: AuditOrigin,
): CorrectionRow {
  const { namespace, action, filter, change = null, asOf, subjects } = prepared;
  const id = uuidV7({ msecs: Math.floor(origin.now / MICROS_PER_MILLI) });
  const { reason, principal } = origin;
  const row: CorrectionRow = {
    ...{ namespace, id, action, filter, change, subjects, asOf, reason, principal },
    state: 'counting',
    matched: null,
    counts: NOTHING_CORRECTED,
    refused: [],
    position: null,
    untold: [],
    fault: null,
    worker: null,
    leaseUntil: null,
    createdAt: commitTimestamp,
    finishedAt: null,
  };
  tx.insert(correction, row);
  tx.insert(openCorrection, { namespace, correction: id });
  record(
    tx,
    {
      action: 'correction.create',
      namespace: row.namespace,
      id: row.id,
      details: { action, filter, ...(change === null ? {} : { change }) },
    },
    origin,
  );
  return { ...row, createdAt: origin.now };
}

export interface CorrectionName {
  readonly namespace: string;
  readonly id: string;
}

/** Throws `CorrectionError` `correction_not_found`. */
export async function readCorrection(from: Reads, { namespace, id }: CorrectionName): Promise<CorrectionRow> {
  const [row] = await from.read(correction, [[namespace, id]]);
  if (row === undefined) throw new CorrectionError('correction_not_found', `there is no correction ${id}`);
  return row;
}

/** Corrections, the newest first; `before` is the id of the last one of the page before. */
export const listCorrections = (
  from: Reads,
  namespace: string,
  { before, limit }: { readonly before?: string | undefined; readonly limit: number },
): Promise<CorrectionRow[]> =>
  Array.fromAsync(
    from.scan(
      correction,
      { prefix: [namespace], ...(before === undefined ? {} : { to: before }) },
      { reverse: true, limit },
    ),
  );

/** Those of a namespace, or of all of them, that somebody has to work on. */
export const openCorrections = (from: Reads, namespace?: string): Promise<CorrectionName[]> =>
  Array.fromAsync(
    from.scan(openCorrection, { prefix: namespace === undefined ? [] : [namespace] }),
    (row) => ({ namespace: row.namespace, id: row.correction }),
  );

/**
 * Lets a correction end where it is; what it has changed stays, until it is undone. One that is canceled already stays so. Throws
 * `CorrectionError` `correction_not_found` and, for one that has ended, `correction_not_possible`.
 */
export async function cancelCorrection(
  tx: Transaction,
  name: CorrectionName,
  origin: AuditOrigin,
): Promise<CorrectionRow> {
  const row = await readCorrection(tx, name);
  if (row.state === 'canceling' || row.state === 'canceled') return row;
  checkState(row, ['counting', 'applying'], 'canceled');
  record(tx, { action: 'correction.cancel', namespace: row.namespace, id: row.id }, origin);
  return change(tx, { ...row, state: 'canceling' });
}

/**
 * Asks to undo a correction: exactly the events that it changed, and nobody has corrected since, are again as they were. Throws `CorrectionError`
 * `correction_not_found` and, for one that has not ended, `correction_not_possible`.
 */
export async function undoCorrection(
  tx: Transaction,
  name: CorrectionName,
  origin: AuditOrigin,
): Promise<CorrectionRow> {
  const row = await readCorrection(tx, name);
  if (row.state === 'undoing' || row.state === 'undone') return row;
  checkState(row, ['applied', 'canceled'], 'undone');
  record(tx, { action: 'correction.undo', namespace: row.namespace, id: row.id }, origin);
  tx.upsert(openCorrection, { namespace: row.namespace, correction: row.id });
  return change(tx, { ...row, state: 'undoing', finishedAt: null });
}

function change(tx: Transaction, row: CorrectionRow): CorrectionRow {
  tx.upsert(correction, row);
  return row;
}

function checkState({ id, state }: CorrectionRow, possible: readonly CorrectionState[], what: string): void {
  if (possible.includes(state)) return;
  throw new CorrectionError('correction_not_possible', `correction ${id} is ${state} and cannot be ${what}`);
}

interface Recorded extends CorrectionName {
  readonly action: AuditAction;
  readonly details?: Readonly<Record<string, unknown>>;
}

const record = (tx: Transaction, { id, ...entry }: Recorded, origin: AuditOrigin): string =>
  writeAuditEntry(tx, { ...entry, ...origin, target: id });

const FAULT_LENGTH_MAX = 1_000;

/** Says on an open correction what stopped it, for whoever looks; it goes on all the same. Fails silently where the store is what failed. */
export async function noteFault(
  database: Pick<Database, 'transact'>,
  { namespace, id }: CorrectionName,
  error: unknown,
): Promise<void> {
  const fault = (error instanceof Error ? error.message : String(error)).slice(0, FAULT_LENGTH_MAX);
  try {
    await database.transact(async (tx) => {
      const [row] = await tx.read(correction, [[namespace, id]]);
      if (row !== undefined && row.finishedAt === null) tx.upsert(correction, { ...row, fault });
    });
  } catch {
    // The failure that is to be noted is the one that counts.
  }
}
