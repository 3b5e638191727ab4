import type { Copy } from '#domain/metering/batch.ts';
import { toHex, type Hash128 } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import type { AuditOrigin } from '#infra/audit/write-audit-entry.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { readYourWrites } from '#infra/database/read-your-writes.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { appendEventRows, eventRowsOf } from './append-events.ts';
import {
  CatalogueMoving,
  commitMatched,
  REMATCHES_MAX,
  type CommitContext,
  type Committed,
  type CommitResult,
} from './commit.ts';
import { appendCorrection, applyVoids, findStates } from './correct-events.ts';
import type { Delivery } from './delivery.ts';
import { loadCatalogues, matchDeliveries } from './match-deliveries.ts';
import { loadStored, NotYetAppended, type EventName, type LoadedEvent } from './stored-event.ts';
import { appendOwed } from './tables.ts';
import { audit, batchOf, voidAhead, type VoidOutcome } from './void-event.ts';

/** The new event cannot take the place of the old one, and why. Nothing was changed. */
export class AmendmentRefused extends Error {
  constructor(reason: string) {
    super(`the event is not amended: ${reason}`);
    this.name = 'AmendmentRefused';
  }
}

/** Leaves a transaction in which something is written already: a catalogue is not the one the new events were matched with. */
export class StaleCatalogues extends Error {
  readonly namespaces: readonly string[];

  constructor(namespaces: readonly string[]) {
    super(`the catalogue of ${namespaces.join(', ')} has changed`);
    this.name = 'StaleCatalogues';
    this.namespaces = namespaces;
  }
}

type AmendContext = CommitContext & { readonly warehouse: Warehouse };

/**
 * Replaces an event: one transaction takes the old one back and commits the new one, so that no reader sees both or neither. The new event
 * has a name of its own and names the old one in its attributes. Safe to repeat; with an origin it is recorded. Throws `NotYetAppended` and
 * `AmendmentRefused`.
 */
export async function amendEvent(
  context: AmendContext,
  old: EventName,
  replacement: Delivery,
  origin?: AuditOrigin,
): Promise<{ voided: VoidOutcome; committed: Committed }> {
  checkName(old, replacement);
  for (let rematches = 0; rematches <= REMATCHES_MAX; rematches++) {
    const loaded = await loadStored(context, old);
    const catalogues = await loadCatalogues(context.catalogues, [replacement]);
    const matched = matchDeliveries(catalogues, [replacement]);
    try {
      const { result, committedAt } = await context.database.transact((tx) =>
        amend(tx, context, { old, loaded, replacement, origin }, (own, replaced) =>
          commitMatched(own, context, catalogues, { ...matched, replaced }),
        ),
      );
      const { filterErrors, schemaReports } = matched;
      const committed = { committedAt, ...result.committed, filterErrors, schemaReports, catalogues };
      await appendEventRows(context, eventRowsOf(committed));
      await settleOwed(context.database, replacement);
      if (loaded !== undefined) await appendCorrection(context, loaded, 'void', committedAt);
      return { voided: result.voided, committed };
    } catch (error) {
      if (!(error instanceof StaleCatalogues)) throw error;
      for (const namespace of error.namespaces) context.catalogues.forget(namespace);
    }
  }
  throw new CatalogueMoving([replacement.namespace]);
}

/** The replacement is in the warehouse, or parked. Whoever repeats a call that was cut off before comes here, too. */
async function settleOwed(database: Database, { namespace, event }: Delivery): Promise<void> {
  if (event === undefined) return;
  await database.transact(async (tx) => tx.delete(appendOwed, [namespace, event.identity]));
}

function checkName(old: EventName, replacement: Delivery): void {
  if (replacement.namespace !== old.namespace)
    throw new AmendmentRefused('the new event is of another namespace');
  if (replacement.event?.identity === identityOf(old.namespace, old.source, old.id))
    throw new AmendmentRefused('the new event needs a source and id of its own');
}

interface Amendment {
  readonly old: EventName;
  readonly loaded: LoadedEvent | undefined;
  readonly replacement: Delivery;
  readonly origin: AuditOrigin | undefined;
}

type Commit = (tx: Transaction, replaced: readonly Copy[]) => Promise<CommitResult>;
type Counted = Exclude<CommitResult, { readonly stale: readonly string[] }>;

/** The old one goes first, so that limits see only what the usage of both differs by. */
async function amend(
  tx: Transaction,
  context: AmendContext,
  amendment: Amendment,
  commit: Commit,
): Promise<{ voided: VoidOutcome; committed: Counted }> {
  // Both steps may touch the same cells, so the second must see what the first wrote.
  const own = readYourWrites(tx);
  const { voided, replaced, changed } = await takeOldBack(own, context, amendment);
  const committed = await commit(own, replaced);
  if ('stale' in committed) throw new StaleCatalogues(committed.stale);
  checkTakesPlace(committed, voided);
  const { namespace } = amendment.old;
  const replacedBy = amendment.replacement.event?.identity;
  // It came through a call: no message says that its row is still to be appended.
  if (replacedBy !== undefined)
    tx.upsert(appendOwed, { namespace, identity: replacedBy, committedAt: commitTimestamp });
  if (changed)
    audit(
      tx,
      {
        action: 'event.amend',
        details: {
          outcome: voided,
          ...(replacedBy === undefined ? {} : { replacedBy: toHex(replacedBy) }),
        },
      },
      amendment.old,
      amendment.origin,
    );
  return { voided, committed };
}

interface TakenBack {
  readonly voided: VoidOutcome;
  readonly replaced: readonly Copy[];
  readonly changed: boolean;
}

async function takeOldBack(
  tx: Transaction,
  context: AmendContext,
  { old, loaded, replacement }: Amendment,
): Promise<TakenBack> {
  const identity = identityOf(old.namespace, old.source, old.id);
  if (loaded === undefined)
    return { voided: 'ahead', replaced: [], changed: await voidAhead(tx, old.namespace, identity) };
  const batch = batchOf(context, old, loaded);
  const [found] = await findStates(tx, batch);
  if (found === undefined) throw new NotYetAppended(identity);
  if (found.state === 'void') return { voided: 'already', replaced: [], changed: false };
  const by: Hash128 | null = replacement.event?.identity ?? null;
  return { voided: 'voided', replaced: await applyVoids(tx, batch, [found], () => by), changed: true };
}

/** A replacement that does not count would leave neither event, so then the transaction must not commit. */
function checkTakesPlace({ classified, refused }: Counted, voided: VoidOutcome): void {
  const [refusal] = refused.map((each) => each.refusal);
  if (refusal) throw new AmendmentRefused(`${refusal.reason}: ${refusal.detail}`);
  const [only] = classified;
  if (only?.outcome === 'conflict')
    throw new AmendmentRefused('the new event bears the name of one that says something else');
  const counts = only?.outcome === 'accepted' || only?.stored?.state === 'live';
  // Repeated after the replacement was voided in its turn, the call finds its work done.
  if (!counts && voided !== 'already') throw new AmendmentRefused('the new event is void itself');
}
