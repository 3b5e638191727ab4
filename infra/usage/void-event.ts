import type { Instant } from '#domain/instant.ts';
import { toHex, type Hash128 } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { writeAuditEntry, type AuditOrigin } from '#infra/audit/write-audit-entry.ts';
import type { AuditAction } from '#infra/audit/actions.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { correctLimits } from '#infra/entitlements/apply-usage.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { hoursKeptFrom } from './cells.ts';
import {
  appendCorrection,
  applyRestores,
  applyVoids,
  findStates,
  type CorrectionBatch,
} from './correct-events.ts';
import { loadStored, NotYetAppended, type EventName, type LoadedEvent } from './stored-event.ts';
import { event } from './tables.ts';

export interface CorrectionContext {
  readonly database: Database;
  readonly warehouse: Warehouse;
  readonly slot: number;
  readonly clock: () => Instant;
}

/** `ahead`: the void came before its event, whose first copy will have no effect. `already`: it was void before. */
export type VoidOutcome = 'voided' | 'ahead' | 'already';
export type RestoreOutcome = 'restored' | 'forgotten' | 'already' | 'unseen';

/**
 * Takes an event back: its row becomes a tombstone, and its effects are taken out of every cell that has them, in one transaction. Safe to
 * repeat; a repetition appends the warehouse row again in case it was lost. With an origin it is recorded. Throws `NotYetAppended`.
 */
export async function voidEvent(
  context: CorrectionContext,
  name: EventName,
  origin?: AuditOrigin,
): Promise<VoidOutcome> {
  const loaded = await loadStored(context, name);
  const { result, committedAt } = await context.database.transact(async (tx) => {
    const outcome = await applyVoid(tx, context, name, loaded);
    if (outcome.changed) audit(tx, { action: 'event.void' }, name, origin);
    return outcome.outcome;
  });
  if (loaded !== undefined && result !== 'ahead')
    await appendCorrection(context, loaded, 'void', committedAt);
  return result;
}

/** Brings a voided event back with the effects it had; one that was voided ahead of its arrival is simply no longer awaited. */
export async function restoreEvent(
  context: CorrectionContext,
  name: EventName,
  origin?: AuditOrigin,
): Promise<RestoreOutcome> {
  const loaded = await loadStored(context, name);
  const { result, committedAt } = await context.database.transact(async (tx) => {
    const outcome = await applyRestore(tx, context, name, loaded);
    if (outcome === 'restored' || outcome === 'forgotten')
      audit(tx, { action: 'event.restore' }, name, origin);
    return outcome;
  });
  if (loaded !== undefined && result !== 'unseen')
    await appendCorrection(context, loaded, 'restored', committedAt);
  return result;
}

/** Records the correction of one event, where it is known who asked for it. */
export function audit(
  tx: Transaction,
  {
    action,
    details = {},
  }: { readonly action: AuditAction; readonly details?: Readonly<Record<string, unknown>> },
  { namespace, source, id }: EventName,
  origin: AuditOrigin | undefined,
): void {
  if (origin === undefined) return;
  const target = toHex(identityOf(namespace, source, id));
  writeAuditEntry(tx, { namespace, action, target, ...origin, details: { source, id, ...details } });
}

interface AppliedVoid {
  readonly outcome: VoidOutcome;
  readonly changed: boolean;
}

/** The void inside a transaction. `loaded` was read before it; a row that is different now makes the work start over. */
async function applyVoid(
  tx: Transaction,
  context: CorrectionContext,
  name: EventName,
  loaded: LoadedEvent | undefined,
): Promise<AppliedVoid> {
  const identity = identityOf(name.namespace, name.source, name.id);
  if (loaded === undefined)
    return { outcome: 'ahead', changed: await voidAhead(tx, name.namespace, identity) };
  const batch = batchOf(context, name, loaded);
  const [found] = await findStates(tx, batch);
  if (found === undefined) throw new NotYetAppended(identity);
  if (found.state === 'void') return { outcome: 'already', changed: false };
  await correctLimits(tx, { voided: await applyVoids(tx, batch, [found]) });
  return { outcome: 'voided', changed: true };
}

/** The transaction of an event that is corrected by its name. */
export const batchOf = (
  { slot, clock }: Pick<CorrectionContext, 'slot' | 'clock'>,
  { namespace }: EventName,
  loaded: LoadedEvent,
): CorrectionBatch => ({
  namespace,
  events: [loaded],
  correction: null,
  slot,
  hoursFrom: hoursKeptFrom(clock()),
});

/** Of an event that nobody has seen: its first copy will find a tombstone. False when it does so already. */
export async function voidAhead(tx: Transaction, namespace: string, identity: Hash128): Promise<boolean> {
  const [row] = await tx.read(event, [[identity]]);
  if (row === undefined) {
    tx.insert(event, tombstone(identity, namespace));
    return true;
  }
  // The event arrived after it was looked for: it is not in the warehouse yet, as far as this call can know.
  if (row.digest !== null) throw new NotYetAppended(identity);
  return false;
}

const tombstone = (identity: Hash128, namespace: string) => ({
  identity,
  digest: null,
  namespace,
  type: '',
  subject: '',
  time: 0,
  state: 'void',
  catalogueVersion: 0,
  committedAt: commitTimestamp,
});

/** The restoring inside a transaction; see `applyVoid`. */
async function applyRestore(
  tx: Transaction,
  context: CorrectionContext,
  name: EventName,
  loaded: LoadedEvent | undefined,
): Promise<RestoreOutcome> {
  const identity = identityOf(name.namespace, name.source, name.id);
  if (loaded === undefined) return forget(tx, identity);
  const batch = batchOf(context, name, loaded);
  const [found] = await findStates(tx, batch);
  if (found === undefined) throw new NotYetAppended(identity);
  if (found.state !== 'void') return 'already';
  await correctLimits(tx, { restored: await applyRestores(tx, batch, [found]) });
  return 'restored';
}

async function forget(tx: Transaction, identity: Hash128): Promise<RestoreOutcome> {
  const [row] = await tx.read(event, [[identity]]);
  if (row === undefined) return 'unseen';
  if (row.digest !== null) throw new NotYetAppended(identity);
  tx.delete(event, [identity]);
  return 'forgotten';
}
