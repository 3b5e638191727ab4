import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import { FUTURE_MICROS } from '#domain/limits.ts';
import type { EventState, StoredEvent } from '#domain/metering/classify.ts';
import { matchEvent, type Effect } from '#domain/metering/effects.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { fromHex, toHex, type Hash128 } from '#domain/metering/hash128.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { loadCatalogue, type LoadedCatalogue } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { toStored } from './events.ts';
import { event, EVENT_ROW_DAYS } from './tables.ts';

/** Which event is meant. */
export interface EventName {
  readonly namespace: string;
  readonly source: string;
  readonly id: string;
}

/** The event is committed, but its row is not in the warehouse yet: its effects cannot be taken back before. Try again shortly. */
export class NotYetAppended extends Error {
  constructor(identity: Hash128) {
    super(`event ${toHex(identity)} is committed but not in the warehouse yet`);
    this.name = 'NotYetAppended';
  }
}

/** A stored event, as it was said and as it was counted. */
export interface LoadedEvent {
  readonly stored: StoredEvent;
  readonly event: UsageEvent;
  readonly effects: readonly Effect[];
}

interface LoadContext {
  readonly database: Database;
  readonly warehouse: Pick<Warehouse, 'query'>;
  readonly clock: () => Instant;
}

/**
 * The event's row and, from the warehouse, what it said. Of one whose row has expired, all of it comes from the warehouse, whose old days are
 * searched. Undefined when nobody knows it, or only a void that came first. Throws `NotYetAppended`.
 */
export async function loadStored(
  { database, warehouse, clock }: LoadContext,
  name: EventName,
): Promise<LoadedEvent | undefined> {
  const identity = identityOf(name.namespace, name.source, name.id);
  const [row] = await database.read(event, [[identity]]);
  if (row === undefined) {
    const expired = await findExpired(warehouse, { namespace: name.namespace, identity, now: clock() });
    if (expired === undefined) return undefined;
    return asCounted(await loadCatalogue(database, name.namespace), expired);
  }
  if (row.digest === null) return undefined;
  const found = await findInWarehouse(warehouse, { ...row, digest: row.digest });
  if (found === undefined) throw new NotYetAppended(identity);
  return asCounted(await loadCatalogue(database, name.namespace), { stored: toStored(row), event: found });
}

/** What the event did: matched with the catalogue of its commit. */
export function asCounted(
  catalogue: LoadedCatalogue,
  { stored, event: said }: Pick<LoadedEvent, 'stored' | 'event'>,
): LoadedEvent {
  const matched = matchEvent(catalogue.at(stored.catalogueVersion), said);
  return { stored, event: said, effects: matched.refusal ? [] : matched.effects };
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

/** Events are of our own time: nothing was metered before. */
export const EARLIEST: Instant = 0;

/** The newest accepted event of the identity among those whose event row is gone by now. */
export async function findExpired(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, identity, now }: { namespace: string; identity: Hash128; now: Instant },
): Promise<Pick<LoadedEvent, 'stored' | 'event'> | undefined> {
  // An event happens at most so long after the commit that its row lives from.
  const to = now - EVENT_ROW_DAYS * MICROS_PER_DAY + FUTURE_MICROS;
  const range = { from: formatInstant(EARLIEST), to: formatInstant(Math.max(to, EARLIEST + 1)) };
  const rows = await Array.fromAsync(
    warehouse.query('events', { namespace, identity: toHex(identity), ...range }),
  );
  const last = rows.filter((row) => row['outcome'] === 'accepted').at(-1);
  if (last === undefined) return undefined;
  const { stored, event: said } = storedInWarehouse(last, { namespace, identity });
  const state = stateAmong(
    rows.filter((row) => row['subject'] === said.subject && row['digest'] === last['digest']),
  );
  return { stored: { ...stored, state }, event: said };
}

/** A row of the warehouse as the event row had it. */
export function storedInWarehouse(
  row: WarehouseRow,
  { namespace, identity }: { readonly namespace: string; readonly identity: Hash128 },
): Pick<LoadedEvent, 'stored' | 'event'> {
  const said = fromWarehouse(row, { namespace, identity, time: instantIn(row, 'time') });
  const stored: StoredEvent = {
    digest: said.digest,
    state: 'live',
    time: said.time,
    catalogueVersion: Number(row['catalogue_version']),
    committedAt: instantIn(row, 'committed_at'),
  };
  return { stored, event: said };
}

/** What the last void or restore among the rows of one event says. */
function stateAmong(rows: readonly WarehouseRow[]): EventState {
  const corrections = rows.filter((row) => row['outcome'] === 'void' || row['outcome'] === 'restored');
  const last = corrections
    .toSorted((a, b) => instantIn(a, 'committed_at') - instantIn(b, 'committed_at'))
    .at(-1);
  return last?.['outcome'] === 'void' ? 'void' : 'live';
}

export const instantIn = (row: WarehouseRow, column: string): Instant =>
  parseRfc3339(String(row[column]))?.at ?? EARLIEST;
