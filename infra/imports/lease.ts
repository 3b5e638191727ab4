import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { stagedImport, type ImportName, type ImportRow } from './tables.ts';

/** A worker that has not been heard of for so long has lost its import to whoever comes. */
export const LEASE_MICROS = 15 * MICROS_PER_SECOND;

export interface ImportWorker extends ImportName {
  /** Names it among all that ever work on imports. */
  readonly worker: string;
}

/** Another worker has the import, or somebody has changed what is to be done with it: what was about to be written is not. */
export class ImportLost extends Error {
  override readonly name = 'ImportLost';
}

/** States in which there is work. */
const OPEN: ReadonlySet<string> = new Set(['checking', 'applying', 'clearing']);

/** Takes an import that nobody works on; undefined when there is nothing left to do, `wait` while it is in other hands. */
export async function takeImport(
  database: Database,
  { namespace, id, worker }: ImportWorker,
  now: Instant,
): Promise<ImportRow | 'wait' | undefined> {
  const { result } = await database.transact(async (tx) => {
    const [row] = await tx.read(stagedImport, [[namespace, id]]);
    if (row === undefined || !OPEN.has(row.state)) return undefined;
    if (row.worker !== worker && row.leaseUntil !== null && row.leaseUntil > now) return 'wait' as const;
    const taken = { ...row, worker, leaseUntil: now + LEASE_MICROS, changedAt: commitTimestamp };
    tx.upsert(stagedImport, taken);
    return { ...taken, changedAt: row.changedAt };
  });
  return result;
}

/** The row in the hands of a worker, whose lease begins anew with the next write. Throws `ImportLost`. */
export async function heldImport(
  tx: Transaction,
  { namespace, id, worker }: ImportWorker,
  { state, now }: Pick<ImportRow, 'state'> & { readonly now: Instant },
): Promise<ImportRow> {
  const [row] = await tx.read(stagedImport, [[namespace, id]]);
  if (row === undefined || row.worker !== worker || row.state !== state)
    throw new ImportLost(`import ${id} is in other hands, or is not ${state} any more`);
  return { ...row, leaseUntil: now + LEASE_MICROS, fault: null, changedAt: commitTimestamp };
}
