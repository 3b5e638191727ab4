import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayOf, dayStart, type DayIndex, type Instant } from '#domain/instant.ts';
import { fromHex, toHex, type Hash128 } from '#domain/metering/hash128.ts';
import { readSaid } from '#infra/corrections/load-events.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import type { StagedEvent } from './staged-lines.ts';

/** The digests of events that the warehouse had before the import began, by identity, voided ones among them. */
export interface KnownEvents {
  among(events: readonly StagedEvent[]): Promise<ReadonlyMap<Hash128, Hash128>>;
}

/**
 * Events whose rows have expired are known by the warehouse alone, one for each identity, subject and day as in its exact view. Days that were empty
 * when the import began are asked for once.
 */
export function createKnownEvents(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, asOf }: { readonly namespace: string; readonly asOf: Instant },
): KnownEvents {
  const days = new Map<DayIndex, boolean>();
  const hasEvents = async (day: DayIndex): Promise<boolean> => {
    const known = days.get(day);
    if (known !== undefined) return known;
    const range = { from: formatInstant(dayStart(day)), to: formatInstant(dayStart(day + 1)) };
    const rows = await Array.fromAsync(
      warehouse.query('events', { namespace, ...range, at: formatInstant(asOf), limit: 1 }),
    );
    days.set(day, rows.length > 0);
    return rows.length > 0;
  };
  return {
    among: async (events) => {
      const places = [];
      for (const { delivery } of events) {
        const { identity, time, subject } = delivery.event;
        if (await hasEvents(dayOf(time))) places.push({ identity: toHex(identity), time, subject });
      }
      if (places.length === 0) return new Map();
      const said = await readSaid({ warehouse, namespace }, places, 'day');
      return new Map(
        Array.from(said, ([identity, rows]) => [
          fromHex(identity),
          fromHex(String((rows.find((row) => row['outcome'] === 'accepted') ?? rows[0])?.['digest'])),
        ]),
      );
    },
  };
}
