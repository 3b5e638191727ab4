import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { compileSelection, type Selection } from '#domain/corrections/select-event.ts';
import { fromHex, toHex } from '#domain/metering/hash128.ts';
import { loadCatalogue } from '#infra/catalogue/load-catalogue.ts';
import { readSubjectRows } from '#infra/customers/own-subjects.ts';
import { customerAt } from '#infra/customers/ownership.ts';
import type { Database } from '#infra/database/database.ts';
import { asCounted, storedInWarehouse, type LoadedEvent } from '#infra/usage/stored-event.ts';
import { correctedEvent } from '#infra/usage/tables.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { loadEvents } from './load-events.ts';
import type { PreparedCorrection } from './prepare-correction.ts';
import type { EventPlace, EventPosition } from './tables.ts';

export interface MeantEvents {
  readonly database: Database;
  readonly warehouse: Pick<Warehouse, 'query'>;
}

/** Events that one question to the warehouse brings. */
export const PAGE_EVENTS = 10_000;
/** Void events that are looked up together. */
const LOOKED_UP = 250;

/**
 * The events that a correction means, in the order of (time, identity), some at a time, from after a position on. Of those to be voided or
 * amended it is the exact view as of the correction's time, which no later correction changes; of those to be restored, what is void now.
 */
export async function* meantEvents(
  from: MeantEvents,
  prepared: PreparedCorrection,
  after: EventPosition | null,
): AsyncGenerator<readonly LoadedEvent[], void, undefined> {
  const isMeant = await selectionOf(from, prepared);
  const pages =
    prepared.action === 'restore' ? voidPages(from, prepared, after) : exactPages(from, prepared, after);
  for await (const page of pages) {
    const meant = page.filter(({ event, stored }) => isMeant(event, stored.committedAt));
    if (meant.length > 0) yield meant;
  }
}

/** The filter, and whose the subject is at the time of the event. */
async function selectionOf(
  { database }: MeantEvents,
  { namespace, filter, subjects }: PreparedCorrection,
): Promise<Selection> {
  const selects = compileSelection(filter);
  const { customer } = filter;
  if (customer === undefined || subjects === null) return selects;
  const rows = await readSubjectRows(database, namespace, subjects);
  const bySubject = new Map(rows.map((row) => [row.subject, row]));
  return (event, committedAt) =>
    selects(event, committedAt) && customerAt(bySubject.get(event.subject), event.time) === customer;
}

async function* exactPages(
  { database, warehouse }: MeantEvents,
  prepared: PreparedCorrection,
  after: EventPosition | null,
): AsyncGenerator<LoadedEvent[], void, undefined> {
  const { namespace } = prepared;
  for (let position = after; ;) {
    const catalogue = await loadCatalogue(database, namespace);
    const page: LoadedEvent[] = [];
    for await (const row of warehouse.query('events_exact', pageParameters(prepared, position))) {
      const identity = fromHex(String(row['identity']));
      page.push(asCounted(catalogue, storedInWarehouse(row, { namespace, identity })));
    }
    yield page;
    const last = page.at(-1)?.event;
    if (page.length < PAGE_EVENTS || last === undefined) return;
    position = { time: last.time, identity: toHex(last.identity) };
  }
}

/** The range begins with the page, so that what is done is not gone through again. */
function pageParameters(
  { namespace, filter, subjects, asOf }: PreparedCorrection,
  position: EventPosition | null,
): WarehouseRow {
  const named = filter.subjects ?? subjects ?? undefined;
  return {
    namespace,
    from: formatInstant(Math.max(filter.from, position?.time ?? filter.from)),
    to: formatInstant(filter.to),
    at: formatInstant(asOf),
    limit: PAGE_EVENTS,
    ...(filter.type === undefined ? {} : { type: filter.type }),
    ...(named === undefined ? {} : { subjects: named }),
    ...(position === null
      ? {}
      : { afterTime: formatInstant(position.time), afterIdentity: position.identity }),
  };
}

async function* voidPages(
  { database, warehouse }: MeantEvents,
  prepared: PreparedCorrection,
  after: EventPosition | null,
): AsyncGenerator<LoadedEvent[], void, undefined> {
  const { namespace } = prepared;
  const load = async (places: readonly EventPlace[]): Promise<LoadedEvent[]> => {
    const catalogue = await loadCatalogue(database, namespace);
    return loadEvents({ database, warehouse, catalogue, namespace }, places);
  };
  let places: EventPlace[] = [];
  for await (const place of voidPlaces(database, prepared, after)) {
    places.push(place);
    if (places.length < LOOKED_UP) continue;
    yield await load(places);
    places = [];
  }
  yield await load(places);
}

/** Void events by what is known of them without the warehouse. */
async function* voidPlaces(
  database: Database,
  { namespace, filter, subjects, asOf }: PreparedCorrection,
  after: EventPosition | null,
): AsyncGenerator<EventPlace, void, undefined> {
  const named = filter.subjects ?? subjects;
  const wanted = named === null ? undefined : new Set(named);
  const range = { from: Math.max(filter.from, after?.time ?? filter.from), to: filter.to };
  const rows = database.scan(correctedEvent, { prefix: [namespace, 'void'], ...range }, { index: 'byTime' });
  for await (const row of rows) {
    const place = { time: row.time, identity: toHex(row.identity), subject: row.subject };
    const isMeant =
      row.correctedAt <= asOf &&
      (filter.type === undefined || row.type === filter.type) &&
      (filter.source === undefined || row.source === filter.source) &&
      (wanted === undefined || wanted.has(row.subject)) &&
      (after === null || isAfter(place, after));
    if (isMeant) yield place;
  }
}

const isAfter = (place: EventPosition, after: EventPosition): boolean =>
  place.time > after.time || (place.time === after.time && place.identity > after.identity);
