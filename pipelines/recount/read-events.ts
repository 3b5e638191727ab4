import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { dayStart, type DayIndex, type Instant } from '#domain/instant.ts';
import { fromHex, toHex, type Hash128 } from '#domain/metering/hash128.ts';
import type { Reads } from '#infra/database/database.ts';
import { CORRECTED_STATES, correctedEvent, type Row } from '#infra/usage/tables.ts';
import { shardOf, type SubjectShard } from '#infra/warehouse/questions/event-scope.ts';
import type { QueryParameters, Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import type { RecountInput } from './recounted.ts';

export type CorrectedEvent = Row<typeof correctedEvent>;

/** Which events of the exact view are recounted. */
export interface EventsOfDay {
  readonly namespace: string;
  readonly type: string;
  readonly day: DayIndex;
  /** The commit time as of which the view is wanted; as it is now where nothing is said. */
  readonly at?: Instant | undefined;
  /** Only subjects of this shard. */
  readonly shard?: SubjectShard | undefined;
  readonly wants: (subject: string) => boolean;
  /** What events are whatever the view says: a correction may be on its way to the warehouse. */
  readonly corrected: ReadonlyMap<Hash128, CorrectedEvent>;
}

/** Every event of the day that counts, once, in the order of the view; then those that the view does not show any more, and that count again. */
export async function* readEvents(
  warehouse: Pick<Warehouse, 'query'>,
  of: EventsOfDay,
): AsyncGenerator<EventInput, void> {
  const { corrected, shard } = of;
  const isMine = (subject: string): boolean =>
    of.wants(subject) && (shard === undefined || shardOf(subject, shard.shards) === shard.shard);
  const restored = new Map(
    Array.from(corrected).filter(([, { state, type }]) => state === 'live' && type === of.type),
  );
  for await (const row of warehouse.query('metered_events', questionOf(of))) {
    const subject = String(row['subject']);
    if (!of.wants(subject)) continue;
    const input = toInput(row);
    restored.delete(input.identity);
    if (corrected.get(input.identity)?.state !== 'void') yield input;
  }
  for (const event of restored.values()) {
    if (!isMine(event.subject)) continue;
    const said = await findSaid(warehouse, event);
    if (said !== undefined) yield said;
  }
}

const questionOf = ({ namespace, type, day, at, shard }: EventsOfDay): QueryParameters => ({
  namespace,
  type,
  from: formatInstant(dayStart(day)),
  to: formatInstant(dayStart(day + 1)),
  ...(at === undefined ? {} : { at: formatInstant(at) }),
  ...(shard && { shard: shard.shard, shards: shard.shards }),
});

export type EventInput = Extract<RecountInput, { readonly kind: 'event' }>;

function toInput(row: WarehouseRow): EventInput {
  const text = (column: string): string => String(row[column]);
  return {
    kind: 'event',
    identity: fromHex(text('identity')),
    digest: fromHex(text('digest')),
    id: text('id'),
    source: text('source'),
    type: text('type'),
    subject: text('subject'),
    time: parseRfc3339(text('time'))?.at ?? 0,
    data: text('data'),
    catalogueVersion: Number(row['catalogue_version']),
  };
}

/** What an event said, wherever its rows tell it: all but conflicts say the same. */
async function findSaid(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, subject, identity, time }: CorrectedEvent,
): Promise<EventInput | undefined> {
  const moment = { from: formatInstant(time), to: formatInstant(time + 1) };
  const rows = warehouse.query('events', {
    namespace,
    subjects: [subject],
    identity: toHex(identity),
    ...moment,
  });
  for await (const row of rows)
    if (row['outcome'] !== 'conflict' && row['data'] !== null && row['digest'] !== null) return toInput(row);
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
