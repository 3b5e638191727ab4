import { identityOf } from '#domain/metering/identity.ts';
import { readYourWrites } from '#infra/database/read-your-writes.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { appendEventRows, eventRowsOf } from './append-events.ts';
import {
  CatalogueMoving,
  commitMatched,
  REMATCHES_MAX,
  type CommitContext,
  type Committed,
} from './commit.ts';
import type { Delivery } from './delivery.ts';
import { loadCatalogues, matchDeliveries } from './match-deliveries.ts';
import { appendCorrection, applyVoid, loadStored, type EventName, type VoidOutcome } from './void-event.ts';

/** The new event cannot take the place of the old one, and why. Nothing was changed. */
export class AmendmentRefused extends Error {
  constructor(reason: string) {
    super(`the event is not amended: ${reason}`);
    this.name = 'AmendmentRefused';
  }
}

/**
 * Replaces an event: one transaction takes the old one back and commits the new one, so that no reader sees both or neither. The new event
 * has a name of its own and names the old one in its attributes. Safe to repeat. Throws `NotYetAppended` and `AmendmentRefused`.
 */
export async function amendEvent(
  context: CommitContext & { readonly warehouse: Warehouse },
  old: EventName,
  replacement: Delivery,
): Promise<{ voided: VoidOutcome; committed: Committed }> {
  if (replacement.namespace !== old.namespace)
    throw new AmendmentRefused('the new event is of another namespace');
  if (replacement.event?.identity === identityOf(old.namespace, old.source, old.id)) {
    throw new AmendmentRefused('the new event needs a source and id of its own');
  }
  for (let rematches = 0; rematches <= REMATCHES_MAX; rematches++) {
    const loaded = await loadStored(context, old);
    const catalogues = await loadCatalogues(context.catalogues, [replacement]);
    const matched = matchDeliveries(catalogues, [replacement]);
    const { result, committedAt } = await context.database.transact(async (tx) => {
      // Both steps may touch the same cells, so the second must see what the first wrote.
      const own = readYourWrites(tx);
      const committed = await commitMatched(own, context, catalogues, matched);
      if ('stale' in committed) return committed;
      const voided = await applyVoid(own, context, old, loaded);
      checkTakesPlace(committed, voided);
      return { committed, voided };
    });
    if ('stale' in result) {
      for (const namespace of result.stale) context.catalogues.forget(namespace);
      continue;
    }
    const { filterErrors, schemaReports } = matched;
    const committed = { committedAt, ...result.committed, filterErrors, schemaReports, catalogues };
    await appendEventRows(context, eventRowsOf(committed));
    if (loaded !== undefined) await appendCorrection(context, loaded, 'void', committedAt);
    return { voided: result.voided, committed };
  }
  throw new CatalogueMoving([replacement.namespace]);
}

/** A replacement that does not count would leave neither event, so then the transaction must not commit. */
function checkTakesPlace(
  { classified, refused }: Pick<Committed, 'classified' | 'refused'>,
  voided: VoidOutcome,
): void {
  const [refusal] = refused.map((each) => each.refusal);
  if (refusal) throw new AmendmentRefused(`${refusal.reason}: ${refusal.detail}`);
  const [only] = classified;
  if (only?.outcome === 'conflict')
    throw new AmendmentRefused('the new event bears the name of one that says something else');
  const counts = only?.outcome === 'accepted' || only?.stored?.state === 'live';
  // Repeated after the replacement was voided in its turn, the call finds its work done.
  if (!counts && voided !== 'already') throw new AmendmentRefused('the new event is void itself');
}
