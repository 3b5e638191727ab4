import { layOut, type Copy } from '#domain/metering/batch.ts';
import type { StoredEvent } from '#domain/metering/classify.ts';
import type { Instant } from '#domain/instant.ts';
import { matchEvent, type Effect } from '#domain/metering/effects.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { fromHex, toHex, type Hash128 } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { loadCatalogue, readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { correctLimits } from '#infra/entitlements/apply-usage.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { appendEventRows, labelsOf, toEventRow } from './append-events.ts';
import { readCells, writeCells } from './cells.ts';
import { eventRow, toStored } from './events.ts';
import { takeBackEvent } from './take-back-event.ts';
import { event } from './tables.ts';

/** Which event is meant. */
export interface EventName {
  readonly namespace: string;
  readonly source: string;
  readonly id: string;
}

export interface CorrectionContext {
  readonly database: Database;
  readonly warehouse: Warehouse;
  readonly slot: number;
}

/** `ahead`: the void came before its event, whose first copy will have no effect. `already`: it was void before. */
export type VoidOutcome = 'voided' | 'ahead' | 'already';
export type RestoreOutcome = 'restored' | 'forgotten' | 'already' | 'unseen';

/** The event is committed, but its row is not in the warehouse yet: its effects cannot be taken back before. Try again shortly. */
export class NotYetAppended extends Error {
  constructor(identity: Hash128) {
    super(`event ${toHex(identity)} is committed but not in the warehouse yet`);
    this.name = 'NotYetAppended';
  }
}

/**
 * Takes an event back: its row becomes a tombstone, and its effects are taken out of every cell that has them, in one transaction. Safe to
 * repeat; a repetition appends the warehouse row again in case it was lost. Throws `NotYetAppended`.
 */
export async function voidEvent(context: CorrectionContext, name: EventName): Promise<VoidOutcome> {
  const loaded = await loadStored(context, name);
  const { result, committedAt } = await context.database.transact((tx) =>
    applyVoid(tx, context, name, loaded),
  );
  if (loaded !== undefined && result !== 'ahead')
    await appendCorrection(context, loaded, 'void', committedAt);
  return result;
}

/** Brings a voided event back with the effects it had; one that was voided ahead of its arrival is simply no longer awaited. */
export async function restoreEvent(context: CorrectionContext, name: EventName): Promise<RestoreOutcome> {
  const loaded = await loadStored(context, name);
  const { result, committedAt } = await context.database.transact((tx) =>
    applyRestore(tx, context, name, loaded),
  );
  if (loaded !== undefined && result !== 'unseen')
    await appendCorrection(context, loaded, 'restored', committedAt);
  return result;
}

/** A stored event, as it was said and as it was counted. */
export interface LoadedEvent {
  readonly stored: StoredEvent;
  readonly event: UsageEvent;
  readonly effects: readonly Effect[];
}

/** The event's row and, from the warehouse, what it said. Undefined when there is no row, or one without a digest. */
export async function loadStored(
  { database, warehouse }: CorrectionContext,
  name: EventName,
): Promise<LoadedEvent | undefined> {
  const identity = identityOf(name.namespace, name.source, name.id);
  const [row] = await database.read(event, [[identity]]);
  if (row?.digest == null) return undefined;
  const found = await findInWarehouse(warehouse, { ...row, digest: row.digest });
  if (found === undefined) throw new NotYetAppended(identity);
  const catalogue = await loadCatalogue(database, name.namespace);
  const matched = matchEvent(catalogue.at(row.catalogueVersion), found);
  return { stored: toStored(row), event: found, effects: matched.refusal ? [] : matched.effects };
}

/** What the event row knows, by which the rest is found. */
export interface Wanted {
  readonly namespace: string;
  readonly subject: string;
  readonly identity: Hash128;
  readonly digest: Hash128;
  readonly time: Instant;
}

/** What a stored event said; undefined while its row has not been appended. */
export async function findInWarehouse(
  warehouse: Pick<Warehouse, 'query'>,
  wanted: Wanted,
): Promise<UsageEvent | undefined> {
  const { namespace, subject, identity, digest, time } = wanted;
  const moment = { from: formatInstant(time), to: formatInstant(time + 1) };
  for await (const row of warehouse.query('events', {
    namespace,
    subjects: [subject],
    identity: toHex(identity),
    ...moment,
  })) {
    if (row['digest'] === toHex(digest)) return fromWarehouse(row, wanted);
  }
  return undefined;
}

export function fromWarehouse(
  row: WarehouseRow,
  { namespace, identity, time }: Pick<Wanted, 'namespace' | 'identity' | 'time'>,
): UsageEvent {
  const text = (name: string): string => String(row[name]);
  const published = row['published_at'];
  return {
    namespace,
    identity,
    digest: fromHex(text('digest')),
    id: text('id'),
    source: text('source'),
    type: text('type'),
    subject: text('subject'),
    sentTime: null,
    time,
    data: text('data'),
    attributes: row['attributes'] === null ? null : text('attributes'),
    publishTime: typeof published === 'string' ? (parseRfc3339(published)?.at ?? time) : time,
  };
}

/** The void inside a transaction. `loaded` was read before it; a row that is different now makes the work start over. */
export async function applyVoid(
  tx: Transaction,
  { slot }: Pick<CorrectionContext, 'slot'>,
  name: EventName,
  loaded: LoadedEvent | undefined,
): Promise<VoidOutcome> {
  const identity = identityOf(name.namespace, name.source, name.id);
  const [row] = await tx.read(event, [[identity]]);
  if (row === undefined) {
    tx.insert(event, tombstone(identity, name.namespace));
    return 'ahead';
  }
  if (row.state === 'void') return row.digest === null ? 'ahead' : 'already';
  // The event arrived after it was looked for: it is not in the warehouse yet, as far as this call can know.
  if (loaded === undefined) throw new NotYetAppended(identity);
  tx.upsert(event, { ...row, state: 'void' });
  await takeBackEvent(tx, copyOf(loaded), { slot, catalogue: await readCatalogueRow(tx, name.namespace) });
  await correctLimits(tx, copyOf(loaded), 'void');
  return 'voided';
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

const copyOf = ({ event: of, effects }: LoadedEvent): Copy => ({ event: of, effects, messageId: '' });

/** The restoring inside a transaction; see `applyVoid`. */
export async function applyRestore(
  tx: Transaction,
  { slot }: CorrectionContext,
  name: EventName,
  loaded: LoadedEvent | undefined,
): Promise<RestoreOutcome> {
  const identity = identityOf(name.namespace, name.source, name.id);
  const [row] = await tx.read(event, [[identity]]);
  if (row === undefined) return 'unseen';
  if (row.state !== 'void') return 'already';
  if (row.digest === null) {
    tx.delete(event, [identity]);
    return 'forgotten';
  }
  if (loaded === undefined) throw new NotYetAppended(identity);
  tx.upsert(event, { ...eventRow(loaded.event, 'live', row.catalogueVersion), committedAt: row.committedAt });
  const batch = layOut([{ first: copyOf(loaded), others: [] }]);
  const { closedThrough } = await readCatalogueRow(tx, name.namespace);
  const cells = await readCells(tx, batch, slot, () => closedThrough);
  batch.apply(0);
  await writeCells(tx, batch, cells);
  await correctLimits(tx, copyOf(loaded), 'restore');
  return 'restored';
}

/** Tells the warehouse. A restored event is also said to be accepted, since one that was voided ahead never had been. */
export async function appendCorrection(
  context: CorrectionContext,
  { stored, event: of, effects }: LoadedEvent,
  outcome: 'void' | 'restored',
  committedAt: Instant,
): Promise<void> {
  const { catalogueVersion } = stored;
  const matchedMeters = labelsOf(effects);
  const rows = [toEventRow(of, outcome, { committedAt, catalogueVersion, matchedMeters })];
  if (outcome === 'restored') {
    rows.push(
      toEventRow(of, 'accepted', { committedAt: stored.committedAt, catalogueVersion, matchedMeters }),
    );
  }
  await appendEventRows(context, rows);
}
