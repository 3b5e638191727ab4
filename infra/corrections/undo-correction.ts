import type { HourIndex } from '#domain/instant.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { loadCatalogue, readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { readYourWrites } from '#infra/database/read-your-writes.ts';
import { correctLimits } from '#infra/entitlements/apply-usage.ts';
import { untilKnown } from '#infra/database/until-known.ts';
import { hoursKeptFrom } from '#infra/usage/cells.ts';
import {
  applyRestores,
  applyVoids,
  findStates,
  withLast,
  type CorrectedEvent,
  type FoundState,
} from '#infra/usage/correct-events.ts';
import type { LoadedEvent } from '#infra/usage/stored-event.ts';
import { correctedEvent } from '#infra/usage/tables.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { addCounts, CORRECTION_SLOT } from './apply-correction.ts';
import { BATCH_EVENTS, batchesOf } from './batches.ts';
import { heldCorrection } from './lease.ts';
import { loadEvents, placeOf, type LoadEvents } from './load-events.ts';
import { correction, NOTHING_CORRECTED, type CorrectionRow, type EventPlace } from './tables.ts';
import { tellUntold } from './tell-untold.ts';
import { tellWarehouse } from './tell-warehouse.ts';
import type { WorkOnCorrection } from './work-on-correction.ts';

interface Stores {
  readonly database: Database;
  readonly warehouse: Warehouse;
}

/**
 * Undoes what a correction did to those events whose last correction it is, some at a time: what is undone is no longer found among them, so
 * whoever goes on begins anew. First the warehouse is told of what may be untold.
 */
export async function undoBatches(stores: Stores, work: WorkOnCorrection, row: CorrectionRow): Promise<void> {
  const { database, warehouse } = stores;
  const { namespace } = row;
  await tellUntold(stores, row);
  const { rolledThrough } = await readCatalogueRow(database, namespace);
  for (;;) {
    const corrected = await stillCorrected(database, row);
    if (corrected.length === 0) return;
    const catalogue = await loadCatalogue(database, namespace);
    const load = { database, warehouse, catalogue, namespace };
    const events = await loadEvents(load, corrected.map(eventPlace));
    for (const batch of batchesOf(events, rolledThrough)) {
      work.signal?.throwIfAborted();
      const identities = new Set(batch.map(({ event }) => event.identity));
      const ofBatch = corrected.filter(({ identity }) => identities.has(identity));
      const replacements = await loadReplacements(load, row, ofBatch);
      const undone = await undoBatch(database, work, { row, batch, replacements });
      await tellWarehouse(stores, { namespace, events: [...replacements, ...batch] });
      work.onProgress?.(undone);
      await work.breathe?.();
    }
  }
}

/** The state in which a correction leaves what it changed. */
const leftAs = ({ action }: CorrectionRow): string => (action === 'restore' ? 'live' : 'void');

/** In the order of their times. */
const stillCorrected = (database: Database, row: CorrectionRow): Promise<CorrectedEvent[]> =>
  Array.fromAsync(
    database.scan(
      correctedEvent,
      { prefix: [row.namespace, row.id, leftAs(row)] },
      { index: 'byCorrection', limit: BATCH_EVENTS },
    ),
  );

const eventPlace = ({ identity, time, subject }: CorrectedEvent): EventPlace => ({
  identity: toHex(identity),
  time,
  subject,
});

/** What took the events' places. */
async function loadReplacements(
  load: LoadEvents,
  { change }: CorrectionRow,
  corrected: readonly CorrectedEvent[],
): Promise<LoadedEvent[]> {
  return loadEvents(
    load,
    corrected.flatMap(({ replacement, time, subject }) =>
      replacement === null ? [] : { identity: toHex(replacement), time, subject: change?.subject ?? subject },
    ),
  );
}

interface Undo {
  readonly row: CorrectionRow;
  readonly batch: readonly LoadedEvent[];
  /** What took the places of those of the batch. */
  readonly replacements: readonly LoadedEvent[];
}

async function undoBatch(database: Database, work: WorkOnCorrection, undo: Undo): Promise<CorrectionRow> {
  const { batch, replacements } = undo;
  const { result } = await untilKnown(() =>
    database.transact(async (tx) => {
      const now = work.scheduler.now();
      const held = await heldCorrection(tx, work, { state: 'undoing', now });
      const { undone, superseded } = await undoIn(tx, undo, hoursKeptFrom(now));
      const next = {
        ...held,
        counts: addCounts(held.counts, { ...NOTHING_CORRECTED, undone, superseded }),
        untold: [...batch, ...replacements].map(placeOf),
      };
      tx.upsert(correction, next);
      return next;
    }),
  );
  return result;
}

/** Only of those whose last correction it still is; the others are found no more. */
async function undoIn(
  tx: Transaction,
  { row, batch, replacements }: Undo,
  hoursFrom: HourIndex,
): Promise<{ undone: number; superseded: number }> {
  const places = { namespace: row.namespace, slot: CORRECTION_SLOT, hoursFrom };
  const old = { ...places, events: batch, correction: row.id, undoes: true };
  const ours = (await findStates(tx, old)).filter(
    ({ corrected }) => corrected?.correction === row.id && corrected.state === leftAs(row),
  );
  if (row.action === 'restore') {
    await correctLimits(tx, { voided: await applyVoids(tx, old, ours) });
    return { undone: ours.length, superseded: 0 };
  }
  const coming = { ...places, events: replacements, correction: null };
  const live = (await findStates(tx, coming)).filter(({ state }) => state === 'live');
  const standing = new Set(live.map(({ loaded }) => loaded.event.identity));
  const [undoable, superseded] = partition(
    ours,
    ({ corrected }) => corrected?.replacement == null || standing.has(corrected.replacement),
  );
  // Both steps may touch the same cells, so the second must see what the first wrote.
  const own = readYourWrites(tx);
  const voided = await applyVoids(own, coming, standingIn(live, undoable));
  const restored = await applyRestores(own, old, undoable);
  await correctLimits(tx, { voided, restored });
  // Somebody has corrected what took its place: to bring the old one back would count what was taken back on purpose.
  for (const { corrected } of superseded)
    if (corrected !== undefined)
      tx.upsert(correctedEvent, { ...corrected, correction: null, before: withLast(corrected) });
  return { undone: undoable.length, superseded: superseded.length };
}

/** The replacements of those that come back. */
function standingIn(live: readonly FoundState[], undoable: readonly FoundState[]): FoundState[] {
  const going = new Set(undoable.map(({ corrected }) => corrected?.replacement));
  return live.filter(({ loaded }) => going.has(loaded.event.identity));
}

function partition<Item>(items: readonly Item[], is: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(is), items.filter((item) => !is(item))];
}
