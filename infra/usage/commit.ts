import { groupByIdentity, layOut, type Batch, type Copy } from '#domain/metering/batch.ts';
import { classify, classifyStored, type Classified, type StoredEvent } from '#domain/metering/classify.ts';
import type { Refusal } from '#domain/metering/dead-letter.ts';
import { matchEvent } from '#domain/metering/effects.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Instant } from '#domain/instant.ts';
import {
  readCatalogueRow,
  type CatalogueRow,
  type LoadedCatalogue,
} from '#infra/catalogue/load-catalogue.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { readCells, writeCells } from './cells.ts';
import { deadLetterRow } from './dead-letter-row.ts';
import type { Delivery } from './delivery.ts';
import { readEvents, writeEvents } from './events.ts';
import { deadLetter, subject } from './tables.ts';

/** So often a batch is matched again because the catalogue changed under it; then the commit gives up and is tried again later. */
export const REMATCHES_MAX = 3;

export interface CommitContext {
  readonly database: Database;
  readonly catalogues: Catalogues;
  /** Names the feed in dead letters. */
  readonly feed: string;
  /** The namespace of everything that comes through this feed. */
  readonly namespace: string;
  /** This writer's slot of the hour cells. */
  readonly slot: number;
  readonly clock: () => Instant;
}

export interface Committed {
  readonly committedAt: Instant;
  /** What became of every copy, in order of identity. */
  readonly classified: readonly Classified[];
  readonly refused: readonly RefusedDelivery[];
  readonly filterErrors: number;
  readonly catalogue: LoadedCatalogue;
  /** Rows written, for the budget of rows per event. */
  readonly rows: number;
}

export interface RefusedDelivery {
  readonly delivery: Delivery;
  readonly refusal: Refusal;
}

/** The catalogue moved while the batch was on its way, again and again. Nothing was written; try again. */
export class CatalogueMoving extends Error {
  constructor(namespace: string) {
    super(`the catalogue of ${namespace} changed more than ${REMATCHES_MAX} times during one commit`);
    this.name = 'CatalogueMoving';
  }
}

/**
 * Commits a batch of deliveries in one transaction: stores each new event under its identity together with all its effects, records
 * conflicts and dead letters, and tells what became of every copy. Applying a delivery again changes nothing, so a batch whose outcome
 * is unknown is simply committed again. Throws what the database throws; then nothing of the batch counts.
 */
export async function commitDeliveries(
  context: CommitContext,
  deliveries: readonly Delivery[],
): Promise<Committed> {
  for (let rematches = 0; rematches <= REMATCHES_MAX; rematches++) {
    const catalogue = await context.catalogues.get(context.namespace);
    const matched = matchDeliveries(catalogue, deliveries);
    const { result, committedAt } = await context.database.transact((tx) =>
      commitMatched(tx, context, catalogue, matched),
    );
    if (result === 'stale') {
      context.catalogues.forget(context.namespace);
      continue;
    }
    return { committedAt, ...result, filterErrors: matched.filterErrors, catalogue };
  }
  throw new CatalogueMoving(context.namespace);
}

/** Deliveries as one catalogue version counts them. */
export interface MatchedDeliveries {
  readonly copies: readonly Copy[];
  readonly refused: readonly RefusedDelivery[];
  readonly filterErrors: number;
}

export function matchDeliveries(
  { current }: LoadedCatalogue,
  deliveries: readonly Delivery[],
): MatchedDeliveries {
  const copies: Copy[] = [];
  const refused: RefusedDelivery[] = [];
  let filterErrors = 0;
  for (const delivery of deliveries) {
    if (delivery.event === undefined) {
      refused.push({ delivery, refusal: delivery.refusal });
      continue;
    }
    const matched = matchEvent(current, delivery.event);
    if (matched.refusal) {
      refused.push({ delivery, refusal: matched.refusal });
      continue;
    }
    filterErrors += matched.filterErrors;
    copies.push({ event: delivery.event, effects: matched.effects, messageId: delivery.message.id });
  }
  return { copies, refused, filterErrors };
}

export type CommitResult = Pick<Committed, 'classified' | 'refused' | 'rows'> | 'stale';

/**
 * The commit inside a transaction; 'stale' when the catalogue is not the one the deliveries were matched with, and then nothing is
 * written. It may run again, so it lays the batch out afresh and leaves no trace of its own.
 */
export async function commitMatched(
  tx: Transaction,
  context: CommitContext,
  catalogue: LoadedCatalogue,
  { copies, refused }: MatchedDeliveries,
): Promise<CommitResult> {
  const batch = layOut(groupByIdentity(copies));
  // One trip: everything the plan needs is read side by side.
  const [row, stored, storedOfRefused, cells] = await Promise.all([
    readCatalogueRow(tx, context.namespace),
    readEvents(
      tx,
      batch.candidates.map(({ first }) => first.event.identity),
    ),
    readEventsOfRefused(tx, refused),
    readCells(tx, batch, context.slot, catalogue.row.closedThrough),
    readSubjects(tx, batch),
  ]);
  if (isStale(row, catalogue.row)) return 'stale';
  const settled = settleRefused(refused, storedOfRefused);
  const classified = [...classify(batch, stored), ...settled.classified];
  applyNew(batch, stored);
  let rows = writeEvents(tx, classified, { catalogueVersion: row.version, receivedAt: context.clock() });
  rows += await writeCells(tx, batch, cells);
  // The second trip, for customers with hard limits, has its place here: limit rows and holds come with their own issue.
  for (const each of settled.refused) tx.upsert(deadLetter, deadLetterRow(context, each));
  return { classified, refused: settled.refused, rows: rows + settled.refused.length };
}

/** The stored event of each refused delivery that holds one, by identity. */
async function readEventsOfRefused(
  tx: Transaction,
  refused: readonly RefusedDelivery[],
): Promise<ReadonlyMap<Hash128, StoredEvent>> {
  const identities = [...new Set(refused.flatMap(({ delivery }) => delivery.event?.identity ?? []))];
  const rows = await readEvents(tx, identities);
  return new Map(
    identities.flatMap((identity, index) => (rows[index] ? [[identity, rows[index]] as const] : [])),
  );
}

/**
 * An event that is stored has no effect again, so it does not matter that a meter made since would refuse it: its copies are duplicates
 * and conflicts, never dead letters.
 */
function settleRefused(
  refused: readonly RefusedDelivery[],
  stored: ReadonlyMap<Hash128, StoredEvent>,
): Pick<Committed, 'classified' | 'refused'> {
  const classified: Classified[] = [];
  const left: RefusedDelivery[] = [];
  for (const each of refused) {
    const { event, message } = each.delivery;
    const row = event && stored.get(event.identity);
    // A void that came first awaits its event, and this is none that could be counted.
    if (event === undefined || row === undefined || row.digest === null) left.push(each);
    else classified.push(classifyStored({ event, effects: [], messageId: message.id }, row));
  }
  return { classified, refused: left };
}

/** A day closed since the batch was laid out must get its day rows from this batch too: then it is laid out again. */
const isStale = (now: CatalogueRow, then: CatalogueRow): boolean =>
  now.version !== then.version || now.closedThrough !== then.closedThrough;

function applyNew(batch: Batch, stored: readonly (StoredEvent | undefined)[]): void {
  batch.candidates.forEach((_, index) => {
    if (stored[index] === undefined) batch.apply(index);
  });
}

/** One row a subject, absent ones too: it says who owns the usage and whether a hard limit watches it. */
const readSubjects = (tx: Transaction, batch: Batch) =>
  tx.read(
    subject,
    batch.subjects.map((each) => [each.namespace, each.subject]),
  );
