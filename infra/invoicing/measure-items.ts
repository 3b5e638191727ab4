import type { TimeWindow } from '#domain/calendar/window.ts';
import type { Instant } from '#domain/instant.ts';
import type { ItemInputs, MeasuredUsage } from '#domain/invoicing/invoice-inputs.ts';
import { measuredBy } from '#domain/invoicing/measured-usage.ts';
import { usageNeeded } from '#domain/invoicing/usage-needed.ts';
import { USAGE_PAGE_ROWS_MAX } from '#domain/limits.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { toDecimalText } from '#domain/money/decimal.ts';
import type { ChargeItem, ItemSegment } from '#domain/subscriptions/billing-item.ts';
import { hasDirtyCells } from '#domain/usage/loaded-usage.ts';
import { NO_EVENTS } from '#domain/usage/measure-fingerprints.ts';
import { usageQuery } from '#domain/usage/usage-query.ts';
import { usageRows } from '#domain/usage/usage-rows.ts';
import { readCatalogueRow, readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { OwnedSubject } from '#infra/customers/own-subjects.ts';
import type { Reads } from '#infra/database/database.ts';
import { readCountedEvents } from '#infra/rating/read-charge-events.ts';
import type { EventsWanted } from '#infra/rating/read-charge-usage.ts';
import { ownedWithin } from '#infra/usage/customer-subjects.ts';
import { loadUsage } from '#infra/usage/load-usage.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { CannotBeBilled } from './cannot-be-billed.ts';

/** What all measurements of a snapshot share. */
export interface Meters {
  readonly namespace: string;
  readonly active: ReadonlyMap<string, MeterVersion>;
  /** The last UTC day that has day cells. */
  readonly rolledThrough: number;
}

export async function readMeters(from: Reads, namespace: string): Promise<Meters> {
  const { rolledThrough } = await readCatalogueRow(from, namespace);
  const versions = await readMeterVersions(from, namespace);
  const active = versions.filter(({ state }) => state === 'active');
  return { namespace, active: new Map(active.map((meter) => [meter.key, meter])), rolledThrough };
}

/** Whose usage it is. */
export interface Measured {
  readonly subjects: readonly OwnedSubject[];
}

/** Who is measured, in whose calendar. */
interface Asker {
  readonly customer: CustomerUsage & Measured;
  readonly timezone: string;
}

/** Events that are still to be read, and what they are known by: the cells of the snapshot have counted exactly these. */
interface CountedElsewhere extends EventsWanted {
  readonly fingerprint: string;
}

/** A measurement that is complete but for events, which no snapshot of the database has. */
export type Measuring = MeasuredUsage | CountedElsewhere;

/** Reads the usage of one customer. Items mostly ask the same of a meter: it is read once. */
export interface CustomerUsage {
  readonly answers: Map<string, Promise<MeasuredUsage>>;
  /** Some cell waits to be recomputed: what is measured may be shown but not issued. */
  dirty: boolean;
}

export const customerUsage = (): CustomerUsage => ({ answers: new Map(), dirty: false });

/**
 * Measures each segment of an item up to `through`, from a snapshot. Throws `CannotBeBilled`, and `TooManyDistinctValuesError`.
 */
export function measureItem(
  snapshot: Reads,
  meters: Meters,
  asker: Asker,
  { item, through }: Pick<ItemInputs, 'through'> & { readonly item: ChargeItem },
): Promise<Measuring[]> {
  const segments = item.segments.filter(({ from }) => from < through);
  return Promise.all(
    segments.map(async (segment): Promise<Measuring> => {
      if (item.kind !== 'usage')
        return segment.seats === null ? { kind: 'none' } : { kind: 'seats', seats: segment.seats };
      const range = { from: segment.from, to: Math.min(segment.to, through) };
      return measureSegment(snapshot, meters, asker, { segment, range });
    }),
  );
}

async function measureSegment(
  snapshot: Reads,
  meters: Meters,
  asker: Asker,
  { segment: { charge, price }, range }: { readonly segment: ItemSegment; readonly range: TimeWindow },
): Promise<Measuring> {
  const needs = usageNeeded(charge, price);
  if (needs.kind === 'nothing') return { kind: 'none' };
  const meter = meters.active.get(charge.meter ?? '');
  if (meter === undefined)
    throw new CannotBeBilled('unknown_meter', `The charge ${charge.key} has no meter that can be read.`);
  const { dimensions = {} } = meter.definition;
  const named = needs.kind === 'groups' ? needs.dimensions : [];
  const groupBy = (named === 'all' ? Object.keys(dimensions) : named).toSorted();
  const cells = await readOnce(snapshot, meters, asker, {
    meter,
    range,
    groupBy,
    isGrouped: needs.kind === 'groups',
  });
  if (needs.kind !== 'events' || cells.kind !== 'quantity') return cells;
  const subjects = asker.customer.subjects.flatMap((owned) => ownedWithin(owned, range));
  return { pointer: `/${charge.key}`, meter, range, subjects, fingerprint: cells.fingerprint };
}

function readOnce(snapshot: Reads, meters: Meters, asker: Asker, asked: Asked): Promise<MeasuredUsage> {
  const { meter, range, groupBy, isGrouped } = asked;
  const name = JSON.stringify([meter.key, range.from, range.to, isGrouped, groupBy]);
  const { answers } = asker.customer;
  let answer = answers.get(name);
  if (answer === undefined) {
    answer = readCells(snapshot, meters, asker, asked);
    answers.set(name, answer);
  }
  return answer;
}

interface Asked {
  readonly meter: MeterVersion;
  readonly range: TimeWindow;
  readonly groupBy: readonly string[];
  readonly isGrouped: boolean;
}

async function readCells(
  snapshot: Reads,
  { namespace, rolledThrough }: Meters,
  { customer, timezone }: Asker,
  { meter, range, groupBy, isGrouped }: Asked,
): Promise<MeasuredUsage> {
  const { aggregation, dimensions = {} } = meter.definition;
  const query = usageQuery({
    aggregation,
    ...range,
    window: 'none',
    timezone,
    rolledThrough,
    dimensions: Object.keys(dimensions),
    groupBy,
    fingerprints: true,
  });
  const subjects = customer.subjects.flatMap((owned) => ownedWithin(owned, range));
  const usage = await loadUsage({ from: snapshot, namespace, meter, subjects }, query);
  customer.dirty ||= hasDirtyCells(usage);
  const rows = [...usageRows(query, usage)];
  if (rows.length > USAGE_PAGE_ROWS_MAX)
    throw new CannotBeBilled(
      'too_many_groups',
      `The meter ${meter.key} has usage of ${rows.length} groups, and ${USAGE_PAGE_ROWS_MAX} can be billed.`,
    );
  const of = measuredBy(meter);
  // What has no value, such as the greatest of no events, is no usage.
  if (isGrouped)
    return {
      ...of,
      kind: 'groups',
      groups: rows.map(({ group, value, fingerprint }) => ({
        dimensions: group ?? {},
        quantity: value ?? '0',
        fingerprint: fingerprint ?? NO_EVENTS,
      })),
    };
  const [row] = rows;
  return {
    ...of,
    kind: 'quantity',
    quantity: row?.value ?? '0',
    fingerprint: row?.fingerprint ?? NO_EVENTS,
  };
}

/** Completes measurements with events from the warehouse, after the snapshot: it may ask the same database where its rows are. */
export async function withEvents(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, readAt }: { readonly namespace: string; readonly readAt: Instant },
  measured: readonly Measuring[],
  signal?: AbortSignal,
): Promise<MeasuredUsage[]> {
  const complete: MeasuredUsage[] = [];
  for (const each of measured) {
    if ('kind' in each) {
      complete.push(each);
      continue;
    }
    const { events, fingerprint } = await readCountedEvents(
      warehouse,
      namespace,
      { ...each, at: readAt },
      signal,
    );
    // One was voided, restored or came late since the snapshot, or the warehouse has not all of them: the next time they agree.
    if (fingerprint !== each.fingerprint)
      throw new CannotBeBilled(
        'usage_moving',
        `The warehouse has other events of the meter ${each.meter.key} than were counted.`,
      );
    complete.push({
      kind: 'events',
      meter: each.meter.key,
      meterVersion: each.meter.version,
      events: events.map(({ value, dimensions }) => ({
        value: toDecimalText(value),
        ...(dimensions ? { dimensions } : {}),
      })),
      fingerprint,
    });
  }
  return complete;
}
