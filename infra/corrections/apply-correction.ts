import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { untilKnown } from '#infra/database/until-known.ts';
import { StaleCatalogues } from '#infra/usage/amend-event.ts';
import { hoursKeptFrom } from '#infra/usage/cells.ts';
import { CatalogueMoving, REMATCHES_MAX } from '#infra/usage/commit.ts';
import type { LoadedEvent } from '#infra/usage/stored-event.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { batchWork, type Applied, type ApplyBatch } from './apply-batch.ts';
import { batchesOf } from './batches.ts';
import { heldCorrection } from './lease.ts';
import { placeOf } from './load-events.ts';
import { meantEvents } from './meant-events.ts';
import {
  correction,
  REFUSED_NAMED_MAX,
  type CorrectionCounts,
  type CorrectionRow,
  type EventPosition,
} from './tables.ts';
import { tellOf, tellUntold } from './tell-untold.ts';
import type { WorkOnCorrection } from './work-on-correction.ts';

interface Stores {
  readonly database: Database;
  readonly warehouse: Warehouse;
  readonly catalogues: Catalogues;
}

/** Each correction is one transaction after the other over the cells it touches, so it needs no slot of its own. */
export const CORRECTION_SLOT = 0;
/** Names this way in where the commit asks for a feed. */
const FEED = 'api';

/**
 * Corrects all events from where the last worker was. A batch is one transaction, with how far it went; then the warehouse is told; and only the
 * next transaction forgets that it had to be.
 */
export async function applyCorrection(
  stores: Stores,
  work: WorkOnCorrection,
  row: CorrectionRow,
): Promise<void> {
  await tellUntold(stores, row);
  const { rolledThrough } = await readCatalogueRow(stores.database, row.namespace);
  let current = row;
  const meant = meantEvents(stores, { ...row, change: row.change ?? undefined }, row.position);
  for await (const events of meant)
    for (const batch of batchesOf(events, rolledThrough)) {
      work.signal?.throwIfAborted();
      current = await applyBatch(stores, work, current, batch);
      await tellOf(stores, current, batch);
      work.onProgress?.(current);
      await work.breathe?.();
    }
}

async function applyBatch(
  stores: Stores,
  work: WorkOnCorrection,
  row: CorrectionRow,
  events: readonly LoadedEvent[],
): Promise<CorrectionRow> {
  const context = { ...stores, feed: FEED, slot: CORRECTION_SLOT, clock: work.scheduler.now };
  for (let rematches = 0; rematches <= REMATCHES_MAX; rematches++) {
    const hoursFrom = hoursKeptFrom(work.scheduler.now());
    const { namespace, id } = row;
    const batch = { namespace, events, correction: id, slot: CORRECTION_SLOT, hoursFrom };
    const apply = await batchWork({ ...context, hoursFrom }, row, batch);
    try {
      const { result } = await untilKnown(() =>
        stores.database.transact((tx) => applyOnce(tx, work, { row, events, apply })),
      );
      return result;
    } catch (error) {
      if (!(error instanceof StaleCatalogues)) throw error;
      for (const namespace of error.namespaces) stores.catalogues.forget(namespace);
    }
  }
  throw new CatalogueMoving([row.namespace]);
}

interface BatchOf {
  /** As it stood before the batch. */
  readonly row: CorrectionRow;
  readonly events: readonly LoadedEvent[];
  readonly apply: ApplyBatch;
}

/** A batch whose commit was answered by nobody is found done, by how far the row is. */
async function applyOnce(
  tx: Transaction,
  work: WorkOnCorrection,
  { row, events, apply }: BatchOf,
): Promise<CorrectionRow> {
  const held = await heldCorrection(tx, work, { state: 'applying', now: work.scheduler.now() });
  const untold = events.map(placeOf);
  const position = positionAfter(untold);
  if (samePosition(held.position, position)) return held;
  if (!samePosition(held.position, row.position))
    throw new Error(`correction ${row.id} is elsewhere than its worker`);
  const { counts, refused } = await apply(tx);
  const next: CorrectionRow = {
    ...held,
    counts: addCounts(held.counts, counts),
    refused: [...held.refused, ...refused].slice(0, REFUSED_NAMED_MAX),
    position,
    untold,
  };
  tx.upsert(correction, next);
  return next;
}

function positionAfter(places: readonly EventPosition[]): EventPosition {
  const last = places.at(-1);
  if (last === undefined) throw new RangeError('a batch has at least one event');
  return { time: last.time, identity: last.identity };
}

const samePosition = (a: EventPosition | null, b: EventPosition | null): boolean =>
  a?.time === b?.time && a?.identity === b?.identity;

export const addCounts = (a: CorrectionCounts, b: Applied['counts']): CorrectionCounts => ({
  changed: a.changed + b.changed,
  already: a.already + b.already,
  unchanged: a.unchanged + b.unchanged,
  refused: a.refused + b.refused,
  undone: a.undone + b.undone,
  superseded: a.superseded + b.superseded,
});
