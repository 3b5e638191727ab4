import { groupByIdentity, layOut, type Batch, type Copy } from '#domain/metering/batch.ts';
import { classify, classifyStored, type Classified, type StoredEvent } from '#domain/metering/classify.ts';
import type { Refusal } from '#domain/metering/dead-letter.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { HourIndex, Instant } from '#domain/instant.ts';
import { readCatalogueRows, type CatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { countAgainstLimits } from '#infra/entitlements/apply-usage.ts';
import { foreseeLimits, type LimitMemory } from '#infra/entitlements/foreseen-limits.ts';
import { catalogueOf, type CatalogueSet } from './catalogue-set.ts';
import { ALL_HOURS, readCells, writeCells } from './cells.ts';
import type { Delivery } from './delivery.ts';
import { readEvents, writeEvents } from './events.ts';
import { loadCatalogues, matchDeliveries, type MatchedDeliveries } from './match-deliveries.ts';
import { readLetters, writeLetters } from './settle-dead-letters.ts';
import { subject } from './tables.ts';

/** So often a batch is matched again because a catalogue changed under it; then the commit gives up and is tried again later. */
export const REMATCHES_MAX = 3;

export interface CommitContext {
  readonly database: Database;
  readonly catalogues: Catalogues;
  /** Names the feed in dead letters. */
  readonly feed: string;
  /** This writer's slot of the hour cells. */
  readonly slot: number;
  readonly clock: () => Instant;
  /** Of the writer, from commit to commit: without one, a commit of customers with hard limits takes a trip more. */
  readonly limitMemory?: LimitMemory;
  /** Where events may be older than hour cells are kept: the first hour that has them. All have them when absent. */
  readonly hoursFrom?: HourIndex;
}

export interface Committed {
  readonly committedAt: Instant;
  /** What became of every copy, in order of identity. */
  readonly classified: readonly Classified[];
  readonly refused: readonly RefusedDelivery[];
  readonly filterErrors: number;
  /** Events that do not follow the schema of their type, where that is only reported. */
  readonly schemaReports: number;
  /** Limit rows in which usage went beyond a hard limit. */
  readonly overdrafts: number;
  /** The catalogues of the batch's namespaces that the events were counted with. */
  readonly catalogues: CatalogueSet;
  /** Rows written, for the budget of rows per event. */
  readonly rows: number;
}

export interface RefusedDelivery {
  readonly delivery: Delivery;
  readonly refusal: Refusal;
}

/** A catalogue moved while the batch was on its way, again and again. Nothing was written; try again. */
export class CatalogueMoving extends Error {
  constructor(namespaces: readonly string[]) {
    super(
      `the catalogue of ${namespaces.join(', ')} changed more than ${REMATCHES_MAX} times during one commit`,
    );
    this.name = 'CatalogueMoving';
  }
}

/**
 * Commits a batch of deliveries, of any namespaces, in one transaction: stores each new event under its identity together with all its
 * effects, records conflicts and dead letters, and tells what became of every copy. Applying a delivery again changes nothing, so a batch
 * whose outcome is unknown is simply committed again. Throws what the database throws; then nothing of the batch counts.
 */
export async function commitDeliveries(
  context: CommitContext,
  deliveries: readonly Delivery[],
): Promise<Committed> {
  let stale: readonly string[] = [];
  for (let rematches = 0; rematches <= REMATCHES_MAX; rematches++) {
    const catalogues = await loadCatalogues(context.catalogues, deliveries);
    const matched = matchDeliveries(catalogues, deliveries);
    const { result, committedAt } = await context.database.transact((tx) =>
      commitMatched(tx, context, catalogues, matched),
    );
    if ('classified' in result) {
      const { filterErrors, schemaReports } = matched;
      return { committedAt, ...result, filterErrors, schemaReports, catalogues };
    }
    ({ stale } = result);
    for (const namespace of stale) context.catalogues.forget(namespace);
  }
  throw new CatalogueMoving(stale);
}

/** `stale`: the namespaces whose catalogue is not the one the deliveries were matched with. */
export type CommitResult =
  Pick<Committed, 'classified' | 'refused' | 'overdrafts' | 'rows'> | { readonly stale: readonly string[] };

/**
 * The commit inside a transaction. Where a catalogue is not the one the deliveries were matched with, nothing is written. It may run
 * again, so it lays the batch out afresh and leaves no trace of its own. `replaced` are events that this transaction took back in favour of
 * new ones: for limits, only the difference counts.
 */
export async function commitMatched(
  tx: Transaction,
  context: CommitContext,
  catalogues: CatalogueSet,
  { copies, refused, replays, replaced = [] }: MatchedDeliveries & { readonly replaced?: readonly Copy[] },
): Promise<CommitResult> {
  const batch = layOut(groupByIdentity(copies));
  const rowOf = (namespace: string): CatalogueRow => catalogueOf(catalogues, namespace).row;
  // One trip: everything the plan needs is read side by side.
  const [rows, stored, storedOfRefused, letters, cells, subjects, foreseen] = await Promise.all([
    readCatalogueRows(tx, [...catalogues.keys()]),
    readEvents(
      tx,
      batch.candidates.map(({ first }) => first.event.identity),
    ),
    readEventsOfRefused(tx, refused),
    readLetters(tx, context.feed, { refused, replays }),
    readCells(
      tx,
      batch,
      { slot: context.slot, hoursFrom: context.hoursFrom ?? ALL_HOURS },
      (namespace) => rowOf(namespace).closedThrough,
    ),
    readSubjects(tx, batch, replaced),
    foreseeLimits(tx, context.limitMemory, batch),
  ]);
  for (const row of subjects) if (row !== undefined) context.limitMemory?.remember(row);
  const stale = rows.filter((row) => isStale(row, rowOf(row.namespace))).map(({ namespace }) => namespace);
  if (stale.length > 0) return { stale };
  const settled = settleRefused(refused, storedOfRefused);
  const classified = [...classify(batch, stored), ...settled.classified];
  applyNew(batch, stored);
  const receivedAt = context.clock();
  let written = writeEvents(tx, classified, {
    versionOf: (namespace) => rowOf(namespace).version,
    receivedAt,
  });
  written += await writeCells(tx, batch, cells);
  // Only for customers with hard limits: a second trip for their limit rows, and one more for limits that were not foreseen.
  const limits = await countAgainstLimits(tx, subjects, {
    copies: () => newCopies(batch, stored),
    replaced,
    now: receivedAt,
    foreseen,
  });
  written += limits.rows;
  written += writeLetters(
    tx,
    { feed: context.feed, receivedAt, letters },
    { refused: settled.refused, replays },
  );
  return { classified, refused: settled.refused, overdrafts: limits.overdrafts, rows: written };
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

/** The first copies of the events that nobody has stored before. */
const newCopies = (batch: Batch, stored: readonly (StoredEvent | undefined)[]): Copy[] =>
  batch.candidates.flatMap(({ first }, index) => (stored[index] === undefined ? [first] : []));

/** One row a subject, absent ones too: it says who owns the usage and whether a hard limit watches it. */
const readSubjects = (tx: Transaction, batch: Batch, replaced: readonly Copy[]) => {
  const others = replaced
    .map(({ event }) => event)
    .filter((event) => !batch.subjects.some((each) => isSameSubject(each, event)));
  return tx.read(
    subject,
    [...batch.subjects, ...others].map((each) => [each.namespace, each.subject]),
  );
};

type SubjectName = Batch['subjects'][number];
const isSameSubject = (a: SubjectName, b: SubjectName): boolean =>
  a.namespace === b.namespace && a.subject === b.subject;
