import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayStart, type DayIndex, type Instant } from '#domain/instant.ts';
import { toHex, type Hash128 } from '#domain/metering/hash128.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import type { Reads } from '#infra/database/database.ts';
import { CORRECTED_STATES, correctedEvent, type Row } from '#infra/usage/tables.ts';
import { toMeteredEvent, type MeteredEvent } from '#infra/warehouse/metered-event.ts';
import { shardOf, type SubjectShard } from '#infra/warehouse/questions/event-scope.ts';
import type { QueryParameters, Warehouse } from '#infra/warehouse/warehouse.ts';

export type CorrectedEvent = Row<typeof correctedEvent>;

/** What of a warehouse events are read by. */
export type ReadWarehouse = Pick<Warehouse, 'meteredEvents' | 'query'>;

/** Which events of the exact view are recounted. */
export interface EventsOfDay {
  readonly namespace: string;
  /** Whose events: those of its type, whatever it counts of them. */
  readonly meter: MeterVersion;
  readonly day: DayIndex;
  /** The commit time as of which the view is wanted; as it is now where nothing is said. */
  readonly at?: Instant | undefined;
  /** Only subjects of this shard. */
  readonly shard?: SubjectShard | undefined;
  readonly wants: (subject: string) => boolean;
  /** What events are whatever the view says: a correction may be on its way to the warehouse. */
  readonly corrected: ReadonlyMap<Hash128, CorrectedEvent>;
}

/**
 * Every event of the day that counts, once, some thousand at a time in the order of the view; then those that the view does not show any more, and that
 * count again.
 */
export async function* readEvents(
  warehouse: ReadWarehouse,
  of: EventsOfDay,
): AsyncGenerator<readonly MeteredEvent[], void> {
  const { corrected, shard, meter } = of;
  const { eventType, filter } = meter.definition;
  const isMine = (subject: string): boolean =>
    of.wants(subject) && (shard === undefined || shardOf(subject, shard.shards) === shard.shard);
  const restored = new Map(
    Array.from(corrected).filter(([, { state, type }]) => state === 'live' && type === eventType),
  );
  const counts = ({ subject, identity }: MeteredEvent): boolean => {
    if (!of.wants(subject)) return false;
    // Mostly nothing was corrected: then no identity needs to be looked up.
    if (corrected.size === 0) return true;
    restored.delete(identity);
    return corrected.get(identity)?.state !== 'void';
  };
  for await (const events of warehouse.meteredEvents(questionOf(of), { names: filter !== undefined }))
    yield events.filter(counts);
  for (const event of restored.values()) {
    if (!isMine(event.subject)) continue;
    const said = await findSaid(warehouse, event);
    if (said !== undefined) yield [said];
  }
}

/** How many of them were committed before there was the meter's version: those that are a backfill's to count. */
export function committedBefore({ since }: MeterVersion, events: readonly MeteredEvent[]): number {
  let counted = 0;
  for (const { catalogueVersion } of events) if (catalogueVersion < since) counted++;
  return counted;
}

const questionOf = ({ namespace, meter, day, at, shard }: EventsOfDay): QueryParameters => ({
  namespace,
  type: meter.definition.eventType,
  from: formatInstant(dayStart(day)),
  to: formatInstant(dayStart(day + 1)),
  ...(at === undefined ? {} : { at: formatInstant(at) }),
  ...(shard && { shard: shard.shard, shards: shard.shards }),
});

/** What an event said, wherever its rows tell it: all but conflicts say the same. */
async function findSaid(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, subject, identity, time }: CorrectedEvent,
): Promise<MeteredEvent | undefined> {
  const moment = { from: formatInstant(time), to: formatInstant(time + 1) };
  const rows = warehouse.query('events', {
    namespace,
    subjects: [subject],
    identity: toHex(identity),
    ...moment,
  });
  for await (const row of rows)
    if (row['outcome'] !== 'conflict' && row['data'] !== null && row['digest'] !== null)
      return toMeteredEvent(row);
  return undefined;
}

/** Every event of a day that was ever corrected, as it is now: the database knows before the warehouse does. */
export async function readCorrectedOfDay(
  from: Reads,
  namespace: string,
  day: DayIndex,
): Promise<Map<Hash128, CorrectedEvent>> {
  const found = new Map<Hash128, CorrectedEvent>();
  for (const state of CORRECTED_STATES) {
    const range = { prefix: [namespace, state], from: dayStart(day), to: dayStart(day + 1) };
    for await (const row of from.scan(correctedEvent, range, { index: 'byTime' }))
      found.set(row.identity, row);
  }
  return found;
}
