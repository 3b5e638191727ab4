import { toHex, type Hash128 } from '#domain/metering/hash128.ts';
import { writeAuditEntry, type AuditOrigin } from '#infra/audit/write-audit-entry.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import { RuleError } from '#infra/rule-error.ts';
import { RowRefused } from '#infra/warehouse/errors.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { appendParked, type Row } from './tables.ts';

export type ParkedRow = Row<typeof appendParked>;

/** Rows of one call at most; the next one goes on. */
export const PARKED_PER_CALL_MAX = 1_000;

export class ParkedAppendNotFound extends RuleError<'parked_append_not_found'> {
  override readonly name = 'ParkedAppendNotFound';
}

/** A page of a namespace's parked rows, by subject and identity; `after` is the last one of the page before. */
export async function listParked(
  from: Reads,
  namespace: string,
  {
    after,
    limit,
  }: {
    readonly after?: { readonly subject: string; readonly identity: Hash128 } | undefined;
    readonly limit: number;
  },
): Promise<ParkedRow[]> {
  const found: ParkedRow[] = [];
  const range = { prefix: [namespace], ...(after === undefined ? {} : { from: after.subject }) };
  for await (const row of from.scan(appendParked, range, { index: 'bySubject' })) {
    // The index orders those of one subject by their identities.
    if (after !== undefined && row.subject === after.subject && row.identity <= after.identity) continue;
    if (found.push(row) >= limit) break;
  }
  return found;
}

export interface AppendParked {
  readonly namespace: string;
  /** Only these; all where nothing is said, the first `PARKED_PER_CALL_MAX`. */
  readonly identities?: readonly Hash128[] | undefined;
  readonly origin: AuditOrigin;
}

export interface AppendedParked {
  readonly appended: number;
  /** Those that the warehouse refuses still, with the reason of now. */
  readonly refused: readonly { readonly identity: Hash128; readonly error: string }[];
}

/**
 * Appends rows that the warehouse had refused: after its bound was raised, say, or a release that mends them. What it takes is no longer parked, and is
 * recorded; what it refuses still stays. A row is appended before its parking ends, so that one that is cut off is appended twice at most, which
 * the exact view does not see. Throws `ParkedAppendNotFound`, and what the warehouse throws when it is unavailable.
 */
export async function appendParkedRows(
  { database, warehouse }: { readonly database: Database; readonly warehouse: Pick<Warehouse, 'append'> },
  { namespace, identities, origin }: AppendParked,
): Promise<AppendedParked> {
  const rows = await chosenRows(database, namespace, identities);
  const refused: { identity: Hash128; error: string }[] = [];
  let appended = 0;
  for (const row of rows) {
    try {
      await warehouse.append('events', [row.row as WarehouseRow]);
      await release(database, row, origin);
      appended++;
    } catch (error) {
      if (!(error instanceof RowRefused)) throw error;
      refused.push({ identity: row.identity, error: error.message });
    }
  }
  return { appended, refused };
}

async function chosenRows(
  database: Database,
  namespace: string,
  identities: readonly Hash128[] | undefined,
): Promise<ParkedRow[]> {
  if (identities === undefined) return listParked(database, namespace, { limit: PARKED_PER_CALL_MAX });
  const found = await database.read(
    appendParked,
    identities.map((identity) => [identity]),
  );
  return found.map((row, place) => {
    if (row?.namespace === namespace) return row;
    const identity = toHex(identities[place] ?? '');
    throw new ParkedAppendNotFound('parked_append_not_found', `no row of the event ${identity} is parked`);
  });
}

/** Unless it was parked anew meanwhile, by a correction of its event: that is another row. */
async function release(database: Database, appended: ParkedRow, origin: AuditOrigin): Promise<void> {
  await database.transact(async (tx) => {
    const [row] = await tx.read(appendParked, [[appended.identity]]);
    if (row === undefined || row.parkedAt !== appended.parkedAt) return;
    tx.delete(appendParked, [row.identity]);
    writeAuditEntry(tx, {
      ...origin,
      namespace: row.namespace,
      action: 'parked_append.append',
      target: toHex(row.identity),
      details: { subject: row.subject, error: row.error },
    });
  });
}
