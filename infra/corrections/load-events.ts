import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayOf, dayStart } from '#domain/instant.ts';
import { CORRECTION_SUBJECTS_MAX } from '#domain/limits.ts';
import { fromHex, toHex, type Hash128 } from '#domain/metering/hash128.ts';
import type { LoadedCatalogue } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import { toStored } from '#infra/usage/events.ts';
import {
  asCounted,
  fromWarehouse,
  NotYetAppended,
  storedInWarehouse,
  type LoadedEvent,
} from '#infra/usage/stored-event.ts';
import { event as eventTable, type Row } from '#infra/usage/tables.ts';
import { WarehouseLimitExceeded } from '#infra/warehouse/errors.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import type { EventPlace } from './tables.ts';

export interface LoadEvents {
  readonly database: Pick<Database, 'read'>;
  readonly warehouse: Pick<Warehouse, 'query'>;
  readonly catalogue: LoadedCatalogue;
  readonly namespace: string;
}

/**
 * Stored events by their places, in their order, with what they said and did. The nearer together the places lie in time, the less is read.
 * Throws `NotYetAppended`.
 */
export async function loadEvents(from: LoadEvents, places: readonly EventPlace[]): Promise<LoadedEvent[]> {
  if (places.length === 0) return [];
  const [rows, said] = await Promise.all([
    from.database.read(
      eventTable,
      places.map(({ identity }) => [fromHex(identity)]),
    ),
    readSaid(from, places),
  ]);
  return places.map(({ identity: hex }, place) => {
    const [row, copies] = [rows[place], said.get(hex) ?? []];
    const identity = fromHex(hex);
    const found = row === undefined ? expired(from, identity, copies) : known(from, row, copies);
    if (found === undefined) throw new NotYetAppended(identity);
    return asCounted(from.catalogue, found);
  });
}

type Found = Pick<LoadedEvent, 'stored' | 'event'>;

function known(
  { namespace }: LoadEvents,
  row: Row<typeof eventTable>,
  copies: readonly WarehouseRow[],
): Found | undefined {
  const copy = copies.find((each) => row.digest !== null && each['digest'] === toHex(row.digest));
  if (copy === undefined) return undefined;
  const { identity, time } = row;
  return { stored: toStored(row), event: fromWarehouse(copy, { namespace, identity, time }) };
}

function expired(
  { namespace }: LoadEvents,
  identity: Hash128,
  copies: readonly WarehouseRow[],
): Found | undefined {
  const accepted = copies.filter((each) => each['outcome'] === 'accepted').at(-1);
  return accepted && storedInWarehouse(accepted, { namespace, identity });
}

/** How near to a place its event is looked for: at its very time, or anywhere in its UTC day. */
export type Nearness = 'time' | 'day';

/** What the warehouse has of these events, by identity. A stretch of time with too much else in it is asked for in halves. */
export async function readSaid(
  from: Pick<LoadEvents, 'warehouse' | 'namespace'>,
  places: readonly EventPlace[],
  nearness: Nearness = 'time',
): Promise<Map<string, WarehouseRow[]>> {
  const inOrder = places.toSorted((a, b) => a.time - b.time);
  try {
    return await askSaid(from, inOrder, nearness);
  } catch (error) {
    if (!(error instanceof WarehouseLimitExceeded || isTooWide(inOrder)) || places.length === 1) throw error;
    const middle = Math.ceil(inOrder.length / 2);
    const first = await readSaid(from, inOrder.slice(0, middle), nearness);
    return new Map([...first, ...(await readSaid(from, inOrder.slice(middle), nearness))]);
  }
}

const subjectsOf = (places: readonly EventPlace[]): string[] => [
  ...new Set(places.map(({ subject }) => subject)),
];
/** One question names so many subjects at most. */
const isTooWide = (places: readonly EventPlace[]): boolean =>
  subjectsOf(places).length > CORRECTION_SUBJECTS_MAX;

async function askSaid(
  { warehouse, namespace }: Pick<LoadEvents, 'warehouse' | 'namespace'>,
  places: readonly EventPlace[],
  nearness: Nearness,
): Promise<Map<string, WarehouseRow[]>> {
  const wanted = new Set(places.map(({ identity }) => identity));
  const [first, last] = [places[0]?.time ?? 0, places.at(-1)?.time ?? 0];
  const rows = warehouse.query('events', {
    namespace,
    subjects: subjectsOf(places),
    from: formatInstant(nearness === 'day' ? dayStart(dayOf(first)) : first),
    to: formatInstant(nearness === 'day' ? dayStart(dayOf(last) + 1) : last + 1),
  });
  const found = new Map<string, WarehouseRow[]>();
  for await (const row of rows) {
    const identity = String(row['identity']);
    if (!wanted.has(identity) || row['data'] === null) continue;
    const copies = found.get(identity);
    if (copies === undefined) found.set(identity, [row]);
    else copies.push(row);
  }
  return found;
}

export const placeOf = ({ event: { identity, time, subject } }: LoadedEvent): EventPlace => ({
  identity: toHex(identity),
  time,
  subject,
});
