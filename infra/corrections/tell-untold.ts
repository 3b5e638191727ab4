import { loadCatalogue } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import type { LoadedEvent } from '#infra/usage/stored-event.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { loadEvents } from './load-events.ts';
import { replacementOf } from './replacements.ts';
import type { CorrectionRow } from './tables.ts';
import { tellCommitted, tellWarehouse } from './tell-warehouse.ts';

interface Stores {
  readonly database: Database;
  readonly warehouse: Warehouse;
}

/** Tells the warehouse of the last transaction's events, where it is not known whether somebody has. */
export async function tellUntold({ database, warehouse }: Stores, row: CorrectionRow): Promise<void> {
  const { namespace, untold } = row;
  if (untold.length === 0) return;
  const catalogue = await loadCatalogue(database, namespace);
  await tellOf(
    { database, warehouse },
    row,
    await loadEvents({ database, warehouse, catalogue, namespace }, untold),
  );
}

/**
 * Tells the warehouse what the correction has done to some events, as it stands in the database: what it made of them, and of an amendment what
 * took their place.
 */
export async function tellOf(
  { database, warehouse }: Stores,
  { namespace, id, change }: CorrectionRow,
  events: readonly LoadedEvent[],
): Promise<void> {
  const told = { database, warehouse, catalogue: await loadCatalogue(database, namespace) };
  // The new ones first: a view that shows both for a moment is nearer to the truth than one that shows neither.
  if (change !== null) {
    const made = events.map((old) => replacementOf(old, { correction: id, change }));
    await tellCommitted(
      told,
      made.flatMap((each) => ('delivery' in each ? each.delivery.event : [])),
    );
  }
  await tellWarehouse(told, { namespace, events });
}
