import { batchesOf } from '#infra/corrections/batches.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { untilKnown } from '#infra/database/until-known.ts';
import { StaleCatalogues } from '#infra/usage/amend-event.ts';
import { appendEventRows, labelsOf, toEventRow } from '#infra/usage/append-events.ts';
import { hoursKeptFrom } from '#infra/usage/cells.ts';
import {
  CatalogueMoving,
  commitMatched,
  REMATCHES_MAX,
  type CommitContext,
  type CommitResult,
} from '#infra/usage/commit.ts';
import { asCounted } from '#infra/usage/stored-event.ts';
import { event as eventTable } from '#infra/usage/tables.ts';
import { loadCatalogue } from '#infra/catalogue/load-catalogue.ts';
import { toStored } from '#infra/usage/events.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { createKnownEvents, type KnownEvents } from './known-events.ts';
import { heldImport } from './lease.ts';
import { readyOldDays } from './old-days.ts';
import { planEvents, type EventPlan } from './plan-events.ts';
import { stagedEvents, type StagedEvent } from './staged-lines.ts';
import {
  REFUSED_LINES_NAMED_MAX,
  stagedImport,
  type ImportCounts,
  type ImportRow,
  type LinePosition,
} from './tables.ts';
import type { WorkOnImport } from './work-on-import.ts';

interface Stores {
  readonly database: Database;
  readonly warehouse: Warehouse;
  readonly catalogues: Catalogues;
}

const SLOT = 0;
/** Names this way in where the commit asks for a feed. */
const FEED = 'api';
/** Events of one transaction: short beside the stream, and within the mutations of a commit. */
const BATCH_EVENTS = 500;
const BATCH_ROWS = 6_000;

/**
 * Counts all staged events from where the last worker was, by the commit of every event. A batch is one transaction, with how far it went; then the
 * warehouse gets it; and only the next transaction forgets that it had to. What is counted already, by event row or by the warehouse, has no effect.
 */
export async function applyStaged(stores: Stores, work: WorkOnImport, row: ImportRow): Promise<void> {
  await appendUntold(stores, row);
  await readyOldDays(stores.database, row.namespace, work.scheduler.now());
  const known = createKnownEvents(stores.warehouse, { namespace: row.namespace, asOf: row.createdAt });
  let current = row;
  for await (const events of stagedEvents(stores.database, row, row.position))
    for (const batch of await batches(stores, row.namespace, events)) {
      work.signal?.throwIfAborted();
      current = await applyBatch(stores, work, { row: current, events: batch, known });
      work.onProgress?.(current);
      await work.breathe?.();
    }
}

/** What changes levels of rolled days is bounded by the rows of later ones, as in a correction. */
async function batches(
  { database, catalogues }: Stores,
  namespace: string,
  events: readonly StagedEvent[],
): Promise<readonly (readonly StagedEvent[])[]> {
  const catalogue = await catalogues.get(namespace);
  const { rolledThrough } = await readCatalogueRow(database, namespace);
  const stored = {
    digest: null,
    state: 'live',
    time: 0,
    catalogueVersion: catalogue.row.version,
    committedAt: 0,
  } as const;
  const counted = events.map((each) => asCounted(catalogue, { stored, event: each.delivery.event }));
  let at = 0;
  return Array.from(batchesOf(counted, rolledThrough, { events: BATCH_EVENTS, rows: BATCH_ROWS }), (batch) =>
    events.slice(at, (at += batch.length)),
  );
}

interface BatchOf {
  /** As it stood before the batch. */
  readonly row: ImportRow;
  readonly events: readonly StagedEvent[];
  readonly known: KnownEvents;
}

async function applyBatch(stores: Stores, work: WorkOnImport, batch: BatchOf): Promise<ImportRow> {
  const now = work.scheduler.now();
  const context = {
    ...stores,
    feed: FEED,
    slot: SLOT,
    clock: work.scheduler.now,
    hoursFrom: hoursKeptFrom(now),
  };
  for (let rematches = 0; rematches <= REMATCHES_MAX; rematches++) {
    const plan = await planEvents({ ...stores, known: batch.known }, batch.events);
    try {
      const { result } = await untilKnown(() =>
        stores.database.transact((tx) => applyOnce(tx, context, { work, batch, plan })),
      );
      const row = await withCommitTime(stores, result);
      await appendUntold(stores, row, batch.events);
      return row;
    } catch (error) {
      if (!(error instanceof StaleCatalogues)) throw error;
      for (const namespace of error.namespaces) stores.catalogues.forget(namespace);
    }
  }
  throw new CatalogueMoving([batch.row.namespace]);
}

/** When the batch was committed is known to the store alone. */
async function withCommitTime({ database }: Stores, { namespace, id }: ImportRow): Promise<ImportRow> {
  const [row] = await database.read(stagedImport, [[namespace, id]]);
  if (row === undefined) throw new Error(`the import ${id} is gone`);
  return row;
}

interface Once {
  readonly work: WorkOnImport;
  readonly batch: BatchOf;
  readonly plan: EventPlan;
}

/** A batch whose commit was answered by nobody is found done, by how far the row is. Throws `StaleCatalogues`. */
async function applyOnce(
  tx: Transaction,
  context: CommitContext,
  { work, batch: { row, events }, plan }: Once,
): Promise<ImportRow> {
  const held = await heldImport(tx, work, { state: 'applying', now: work.scheduler.now() });
  const first = events[0];
  const position = events.at(-1)?.next ?? null;
  if (first === undefined || samePlace(held.position, position)) return held;
  if (!samePlace(held.position, row.position))
    throw new Error(`import ${row.id} is elsewhere than its worker`);
  const committed = await commitMatched(tx, context, plan.catalogues, plan.matched);
  if ('stale' in committed) throw new StaleCatalogues(committed.stale);
  const next: ImportRow = {
    ...held,
    counts: addCounts(held.counts, countsOf(committed, plan)),
    refused: [...held.refused, ...plan.refused].slice(0, REFUSED_LINES_NAMED_MAX),
    position,
    untoldFrom: { part: first.part, line: first.line },
    committedAt: commitTimestamp,
  };
  tx.upsert(stagedImport, next);
  return next;
}

const samePlace = (a: LinePosition | null, b: LinePosition | null): boolean =>
  a?.part === b?.part && a?.line === b?.line;

type Counted = Exclude<CommitResult, { readonly stale: readonly string[] }>;

function countsOf({ classified }: Counted, { duplicates, conflicts, refused }: EventPlan): ImportCounts {
  const count = (outcome: string): number => classified.filter((each) => each.outcome === outcome).length;
  return {
    accepted: count('accepted'),
    duplicates: count('duplicate') + duplicates,
    conflicts: count('conflict') + conflicts,
    voided: count('void'),
    refused: refused.length,
  };
}

const addCounts = (a: ImportCounts, b: ImportCounts): ImportCounts => ({
  accepted: a.accepted + b.accepted,
  duplicates: a.duplicates + b.duplicates,
  conflicts: a.conflicts + b.conflicts,
  voided: a.voided + b.voided,
  refused: a.refused + b.refused,
});

/**
 * Appends what the last transaction committed, told by its commit time: a copy of an event that was there before must not go into the warehouse under
 * the name of this import. Harmless to repeat.
 */
export async function appendUntold(
  stores: Stores,
  row: ImportRow,
  events?: readonly StagedEvent[],
): Promise<void> {
  if (row.untoldFrom === null) return;
  const batch = events ?? (await lastBatch(stores, row));
  const stored = await stores.database.read(
    eventTable,
    batch.map(({ delivery }) => [delivery.event.identity]),
  );
  const catalogue = await loadCatalogue(stores.database, row.namespace);
  const rows = batch.flatMap(({ delivery: { event } }, place): EventRow[] => {
    const found = stored[place];
    if (found === undefined || found.committedAt !== row.committedAt || found.digest !== event.digest)
      return [];
    const { effects } = asCounted(catalogue, { stored: toStored(found), event });
    const { committedAt, catalogueVersion, state } = found;
    const commit = { committedAt, catalogueVersion, matchedMeters: labelsOf(effects) };
    return [toEventRow(event, state === 'void' ? 'void' : 'accepted', commit)];
  });
  await appendEventRows(stores, rows);
}

async function lastBatch({ database }: Stores, row: ImportRow): Promise<StagedEvent[]> {
  const batch: StagedEvent[] = [];
  for await (const events of stagedEvents(database, row, row.untoldFrom)) {
    for (const each of events) {
      batch.push(each);
      if (samePlace(each.next, row.position)) return batch;
    }
  }
  return batch;
}
