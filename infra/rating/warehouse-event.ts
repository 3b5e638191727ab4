import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { compileCatalogue, compileMeter } from '#domain/metering/catalogue.ts';
import { countedAs } from '#domain/metering/counted-as.ts';
import { matchEvent, type Effect } from '#domain/metering/effects.ts';
import type { EventContent } from '#domain/metering/event.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Dimensions } from '#domain/pricing/usage.ts';
import { groupValues } from '#domain/usage/series.ts';
import type { WarehouseRow } from '#infra/warehouse/warehouse.ts';

/** An event's row, as the queries for exact and for metered events give it. */
export function textOf(row: WarehouseRow, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw new Error(`the warehouse's column ${column} holds no text: ${JSON.stringify(value)}`);
}

export function timeOf(row: WarehouseRow): Instant {
  const text = textOf(row, 'time');
  const parsed = parseRfc3339(text);
  if (parsed === undefined) throw new Error(`the warehouse's column time holds no time: ${text}`);
  return parsed.at;
}

/** An event as meters read it. */
export const contentOf = (row: WarehouseRow): EventContent => ({
  id: textOf(row, 'id'),
  source: textOf(row, 'source'),
  type: textOf(row, 'type'),
  subject: textOf(row, 'subject'),
  data: textOf(row, 'data'),
  time: timeOf(row),
});

/** What an event does to a meter; undefined where the meter does not count it. */
export type ReadByMeter = (event: EventContent) => Effect | undefined;

/** Reads events as the stream read them: filter, value and dimensions. */
export function meterReader(namespace: string, meter: MeterVersion): ReadByMeter {
  const catalogue = compileCatalogue(namespace, meter.since, [meter]);
  return (event) => {
    const matched = matchEvent(catalogue, event);
    return matched.refusal ? undefined : matched.effects[0];
  };
}

/** Tells from a row whether a meter's cells have its event, as far as that is not told by what it says: by its label, or by a backfill. */
export function cellReader(meter: MeterVersion): (row: WarehouseRow) => boolean {
  const { label } = compileMeter(meter);
  return (row) => {
    if (labelsOf(row).includes(label)) return true;
    if (meter.backfilled === undefined) return false;
    const event = { catalogueVersion: Number(row['catalogue_version']), time: timeOf(row) };
    return countedAs(meter, meter.backfilled, event) === 'backfill';
  };
}

function labelsOf({ matched_meters: labels }: WarehouseRow): readonly string[] {
  if (Array.isArray(labels)) return labels as readonly string[];
  throw new Error(`the warehouse's column matched_meters holds no list: ${JSON.stringify(labels)}`);
}

/** The names of a meter's dimensions in the order of a group's values. */
export const dimensionNames = ({ definition: { dimensions = {} } }: MeterVersion): readonly string[] =>
  Object.keys(dimensions).sort();

export function dimensionsOf(names: readonly string[], group: string): Dimensions {
  const values = groupValues(group, names.length);
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}
