import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import type { CorrectionName } from './corrections.ts';
import { correction, type CorrectionRow } from './tables.ts';

/** A worker that has not been heard of for so long has lost its correction to whoever comes. */
export const LEASE_MICROS = 15 * MICROS_PER_SECOND;

export interface CorrectionWorker extends CorrectionName {
  /** Names it among all that ever work on corrections. */
  readonly worker: string;
}

/** Another worker has the correction, or somebody has changed what is to be done with it: what was about to be written is not. */
export class CorrectionLost extends Error {
  override readonly name = 'CorrectionLost';
}

/** States in which there is work. */
const OPEN: ReadonlySet<string> = new Set(['counting', 'applying', 'canceling', 'undoing']);

/** Takes a correction that nobody works on; undefined when there is nothing left to do, `wait` while it is in other hands. */
export async function takeCorrection(
  database: Database,
  { namespace, id, worker }: CorrectionWorker,
  now: Instant,
): Promise<CorrectionRow | 'wait' | undefined> {
  const { result } = await database.transact(async (tx) => {
    const [row] = await tx.read(correction, [[namespace, id]]);
    if (row === undefined || !OPEN.has(row.state)) return undefined;
    if (row.worker !== worker && row.leaseUntil !== null && row.leaseUntil > now) return 'wait' as const;
    const taken = { ...row, worker, leaseUntil: now + LEASE_MICROS };
    tx.upsert(correction, taken);
    return taken;
  });
  return result;
}

/** The row in the hands of a worker, whose lease begins anew with the next write. Throws `CorrectionLost`. */
export async function heldCorrection(
  tx: Transaction,
  { namespace, id, worker }: CorrectionWorker,
  { state, now }: Pick<CorrectionRow, 'state'> & { readonly now: Instant },
): Promise<CorrectionRow> {
  const [row] = await tx.read(correction, [[namespace, id]]);
  if (row === undefined || row.worker !== worker || row.state !== state)
    throw new CorrectionLost(`correction ${id} is in other hands, or is not ${state} any more`);
  return { ...row, leaseUntil: now + LEASE_MICROS, fault: null };
}
