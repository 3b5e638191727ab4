import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { EVENTS_PER_LINE_MAX } from '#domain/limits.ts';
import { compileCatalogue, compileMeter, type Catalogue } from '#domain/metering/catalogue.ts';
import { matchEvent } from '#domain/metering/effects.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import { Decimal, ONE } from '#domain/money/decimal.ts';
import type { Dimensions, UsageEvent } from '#domain/pricing/usage.ts';
import { groupValues } from '#domain/usage/series.ts';
import type { AskedSubject } from '#infra/usage/load-usage.ts';
import type { QueryParameters, Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { ChargesRefused } from './charges-refused.ts';
import type { EventsWanted } from './read-charge-usage.ts';

/** What one question to the warehouse answers, and names, at most. */
const EVENTS_PER_QUESTION = 50_000;
const SUBJECTS_PER_QUESTION = 1_000;

interface PlacedEvent {
  readonly time: Instant;
  readonly identity: string;
  readonly event: UsageEvent;
}

/**
 * The events that a meter counted for its customer, in the order of (time, identity), with their values and dimensions as the meter reads
 * them; an event of a count has the value 1. Throws `ChargesRefused` (`too_many_events`), and what the warehouse throws.
 */
export async function readChargeEvents(
  warehouse: Pick<Warehouse, 'query'>,
  namespace: string,
  wanted: EventsWanted,
  signal?: AbortSignal,
): Promise<readonly UsageEvent[]> {
  const read = eventReader(namespace, wanted);
  const owns = ownership(wanted.subjects);
  const found: PlacedEvent[] = [];
  const names = wanted.subjects.map(nameOf);
  for (let at = 0; at < names.length; at += SUBJECTS_PER_QUESTION) {
    const subjects = names.slice(at, at + SUBJECTS_PER_QUESTION);
    for await (const row of rowsOf(warehouse, { ...questionOf(namespace, wanted), subjects })) {
      signal?.throwIfAborted();
      const time = instantOf(row);
      const event = owns(textOf(row, 'subject'), time) ? read(row, time) : undefined;
      if (event === undefined) continue;
      if (found.length === EVENTS_PER_LINE_MAX) throw tooManyEvents(wanted.pointer);
      found.push({ time, identity: textOf(row, 'identity'), event });
    }
  }
  // Each question is answered in order; several have to be brought into one.
  if (names.length > SUBJECTS_PER_QUESTION) found.sort(byPlace);
  return found.map(({ event }) => event);
}

const byPlace = (a: PlacedEvent, b: PlacedEvent): number =>
  a.time - b.time || (a.identity < b.identity ? -1 : a.identity > b.identity ? 1 : 0);

const tooManyEvents = (pointer: string): ChargesRefused =>
  new ChargesRefused([
    {
      pointer,
      code: 'too_many_events',
      message: `judges each event by itself, and there are more than ${EVENTS_PER_LINE_MAX}: ask for a shorter period`,
    },
  ]);

const nameOf = (asked: AskedSubject): string => (typeof asked === 'string' ? asked : asked.subject);

/** Whether a subject's events of a time are the customer's. */
function ownership(subjects: readonly AskedSubject[]): (subject: string, at: Instant) => boolean {
  const spans = new Map(
    subjects.flatMap((asked) => (typeof asked === 'string' ? [] : [[asked.subject, asked.spans] as const])),
  );
  return (subject, at) => spans.get(subject)?.some(({ from, to }) => from <= at && at < to) ?? true;
}

/** `meter` finds what the stream counted with this very version: events of before it was published are not in its cells either. */
const questionOf = (namespace: string, { meter, range }: EventsWanted): QueryParameters => ({
  namespace,
  from: formatInstant(range.from),
  to: formatInstant(range.to),
  type: meter.definition.eventType,
  meter: compileMeter(meter).label,
});

async function* rowsOf(
  warehouse: Pick<Warehouse, 'query'>,
  question: QueryParameters,
): AsyncGenerator<WarehouseRow, void, undefined> {
  const page = { ...question, limit: EVENTS_PER_QUESTION };
  for (let after = {}; ;) {
    let rows = 0;
    let last: WarehouseRow = {};
    for await (const row of warehouse.query('events_exact', { ...page, ...after })) {
      rows++;
      last = row;
      yield row;
    }
    if (rows < EVENTS_PER_QUESTION) return;
    after = { afterTime: last['time'] ?? null, afterIdentity: last['identity'] ?? null };
  }
}

/** Reads a row as the stream read the event: filter, value and dimensions; undefined where the meter does not count it. */
function eventReader(
  namespace: string,
  { meter }: EventsWanted,
): (row: WarehouseRow, time: Instant) => UsageEvent | undefined {
  const catalogue: Catalogue = compileCatalogue(namespace, meter.since, [meter]);
  const names = Object.keys(meter.definition.dimensions ?? {}).sort();
  const counts = meter.definition.aggregation === 'count';
  return (row, time) => {
    const matched = matchEvent(catalogue, {
      id: textOf(row, 'id'),
      source: textOf(row, 'source'),
      type: textOf(row, 'type'),
      subject: textOf(row, 'subject'),
      data: textOf(row, 'data'),
      time,
    });
    const [effect] = matched.refusal ? [] : matched.effects;
    if (effect === undefined) return undefined;
    return {
      value: counts ? ONE : new Decimal(toDecimalString(effect.value)),
      ...(names.length === 0 ? {} : { dimensions: dimensionsOf(names, effect.group) }),
    };
  };
}

function dimensionsOf(names: readonly string[], group: string): Dimensions {
  const values = groupValues(group, names.length);
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}

function textOf(row: WarehouseRow, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw new Error(`the warehouse's column ${column} holds no text: ${JSON.stringify(value)}`);
}

function instantOf(row: WarehouseRow): Instant {
  const text = textOf(row, 'time');
  const parsed = parseRfc3339(text);
  if (parsed === undefined) throw new Error(`the warehouse's column time holds no time: ${text}`);
  return parsed.at;
}
