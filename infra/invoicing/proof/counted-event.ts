import type { Instant } from '#domain/instant.ts';
import { compileMeter } from '#domain/metering/catalogue.ts';
import type { Effect } from '#domain/metering/effects.ts';
import type { EventContent } from '#domain/metering/event.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import type { Dimensions } from '#domain/pricing/usage.ts';
import { groupValues } from '#domain/usage/series.ts';
import {
  cellReader,
  contentOf,
  dimensionNames,
  meterReader,
  textOf,
  type ReadByMeter,
} from '#infra/rating/warehouse-event.ts';
import type { AskedSubject } from '#infra/usage/load-usage.ts';
import type { WarehouseRow } from '#infra/warehouse/warehouse.ts';

/** An event of the warehouse. */
export interface SaidEvent extends EventContent {
  /** 32 hex digits each. */
  readonly identity: string;
  readonly digest: string;
}

export const saidEvent = (row: WarehouseRow): SaidEvent => ({
  ...contentOf(row),
  identity: textOf(row, 'identity'),
  digest: textOf(row, 'digest'),
});

/** An event as one version of a meter counted it. */
export interface CountedEvent {
  readonly said: SaidEvent;
  readonly effect: Effect;
}

/** A meter version made ready to read events with. */
export interface PreparedMeter {
  readonly meter: MeterVersion;
  /** How the warehouse names it. */
  readonly label: string;
  /** In the order of a group's values. */
  readonly dimensions: readonly string[];
  readonly read: ReadByMeter;
  /** Whether its cells have a row's event, if it counts what the event says. */
  readonly isInCells: (row: WarehouseRow) => boolean;
}

export const prepareMeter = (namespace: string, meter: MeterVersion): PreparedMeter => ({
  meter,
  label: compileMeter(meter).label,
  dimensions: dimensionNames(meter),
  read: meterReader(namespace, meter),
  isInCells: cellReader(meter),
});

/** What the warehouse is asked for: a meter's label finds what the stream counted, and what a backfill did is found by going through all. */
export const metersToAsk = (meters: readonly PreparedMeter[]): readonly string[] | undefined =>
  meters.some(({ meter }) => meter.backfilled !== undefined)
    ? undefined
    : [...new Set(meters.map(({ label }) => label))];

/** Undefined where the meter does not count what the event says now. */
export function countedEvent({ read }: PreparedMeter, said: SaidEvent): CountedEvent | undefined {
  const effect = read(said);
  return effect && { said, effect };
}

/** An event that is only counted contributes itself. */
const ONE = '1';

/** What an event contributes to its meter, as canonical decimal text. Of a count and of distinct values that is 1: an event. */
export const contributedValue = ({ meter }: PreparedMeter, { effect }: CountedEvent): string =>
  meter.definition.aggregation === 'count' || meter.definition.aggregation === 'unique'
    ? ONE
    : toDecimalString(effect.value);

/** Whether an event is of the group that dimensions name; of any where they name none. */
export function groupSelector(
  { dimensions: names }: PreparedMeter,
  dimensions: Dimensions | undefined,
): (event: CountedEvent) => boolean {
  const wanted = Object.entries(dimensions ?? {}).map(
    ([name, value]) => [names.indexOf(name), value] as const,
  );
  if (wanted.length === 0) return () => true;
  // Few groups have many events: each is judged once.
  const known = new Map<string, boolean>();
  return ({ effect: { group } }) => {
    let isWanted = known.get(group);
    if (isWanted === undefined) {
      const values = groupValues(group, names.length);
      isWanted = wanted.every(([place, value]) => values[place] === value);
      known.set(group, isWanted);
    }
    return isWanted;
  };
}

/** Whether events of a subject and time are the customer's. */
export function ownedBy(subjects: readonly AskedSubject[]): (subject: string, at: Instant) => boolean {
  const owned = new Map(
    subjects.map((asked) =>
      typeof asked === 'string' ? [asked, undefined] : ([asked.subject, asked.spans] as const),
    ),
  );
  return (subject, at) => {
    const spans = owned.get(subject);
    if (spans !== undefined) return spans.some(({ from, to }) => from <= at && at < to);
    return owned.has(subject);
  };
}

export const subjectNames = (subjects: readonly AskedSubject[]): string[] =>
  subjects.map((asked) => (typeof asked === 'string' ? asked : asked.subject));
