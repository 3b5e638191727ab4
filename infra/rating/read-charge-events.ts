import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { EVENTS_PER_LINE_MAX } from '#domain/limits.ts';
import { compileMeter } from '#domain/metering/catalogue.ts';
import type { EventContent } from '#domain/metering/event.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import { Decimal, ONE } from '#domain/money/decimal.ts';
import type { UsageEvent } from '#domain/pricing/usage.ts';
import type { AskedSubject } from '#infra/usage/load-usage.ts';
import type { QueryParameters, Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import { ChargesRefused } from './charges-refused.ts';
import type { EventsWanted } from './read-charge-usage.ts';
import {
  cellReader,
  contentOf,
  dimensionNames,
  dimensionsOf,
  meterReader,
  textOf,
} from './warehouse-event.ts';

/** What one question to the warehouse answers, and names, at most. */
const EVENTS_PER_QUESTION = 50_000;
const SUBJECTS_PER_QUESTION = 1_000;

interface PlacedEvent {
  readonly time: Instant;
  readonly identity: string;
  readonly event: UsageEvent;
}

/** Events that were counted, and the fingerprint of exactly these, in hex. */
export interface CountedEvents {
  readonly events: readonly UsageEvent[];
  readonly fingerprint: string;
}

/** The events of `readCountedEvents` without their fingerprint. */
export const readChargeEvents = async (
  warehouse: Pick<Warehouse, 'query'>,
  namespace: string,
  wanted: EventsWanted,
  signal?: AbortSignal,
): Promise<readonly UsageEvent[]> => (await readCountedEvents(warehouse, namespace, wanted, signal)).events;

/**
 * The events that a meter counted for its customer, in the order of (time, identity), with their values and dimensions as the meter reads
 * them; an event of a count has the value 1. Throws `ChargesRefused` (`too_many_events`), and what the warehouse throws.
 */
export async function readCountedEvents(
  warehouse: Pick<Warehouse, 'query'>,
  namespace: string,
  wanted: EventsWanted,
  signal?: AbortSignal,
): Promise<CountedEvents> {
  const read = eventReader(namespace, wanted);
  const owns = ownership(wanted.subjects);
  // Asked for by its label, they are all.
  const isInCells = wanted.meter.backfilled === undefined ? () => true : cellReader(wanted.meter);
  const found: PlacedEvent[] = [];
  let digests = 0n;
  const names = wanted.subjects.map(nameOf);
  for (let at = 0; at < names.length; at += SUBJECTS_PER_QUESTION) {
    const subjects = names.slice(at, at + SUBJECTS_PER_QUESTION);
    for await (const row of rowsOf(warehouse, { ...questionOf(namespace, wanted), subjects })) {
      signal?.throwIfAborted();
      const content = contentOf(row);
      const { subject, time } = content;
      const event = isInCells(row) && owns(subject, time) ? read(content) : undefined;
      if (event === undefined) continue;
      if (found.length === EVENTS_PER_LINE_MAX) throw tooManyEvents(wanted.pointer);
      found.push({ time, identity: textOf(row, 'identity'), event });
      digests += BigInt(`0x${textOf(row, 'digest')}`);
    }
  }
  // Each question is answered in order; several have to be brought into one.
  if (names.length > SUBJECTS_PER_QUESTION) found.sort(byPlace);
  return { events: found.map(({ event }) => event), fingerprint: fingerprintText(digests) };
}

const FINGERPRINT_BITS = 128;
const FINGERPRINT_DIGITS = 32;

/** The sum of digests modulo 2^128. */
const fingerprintText = (digests: bigint): string =>
  BigInt.asUintN(FINGERPRINT_BITS, digests).toString(16).padStart(FINGERPRINT_DIGITS, '0');

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

/**
 * `meter` finds what the stream counted with this very version: events of before it was published are not in its cells either, unless a backfill
 * has counted them, which the rows do not tell.
 */
const questionOf = (namespace: string, { meter, range, at }: EventsWanted): QueryParameters => ({
  namespace,
  from: formatInstant(range.from),
  to: formatInstant(range.to),
  type: meter.definition.eventType,
  ...(meter.backfilled === undefined ? { meter: compileMeter(meter).label } : {}),
  ...(at === undefined ? {} : { at: formatInstant(at) }),
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

/** Reads an event as the stream read it: filter, value and dimensions; undefined where the meter does not count it. */
function eventReader(
  namespace: string,
  { meter }: EventsWanted,
): (event: EventContent) => UsageEvent | undefined {
  const read = meterReader(namespace, meter);
  const names = dimensionNames(meter);
  const counts = meter.definition.aggregation === 'count';
  return (event) => {
    const effect = read(event);
    if (effect === undefined) return undefined;
    return {
      value: counts ? ONE : new Decimal(toDecimalString(effect.value)),
      ...(names.length === 0 ? {} : { dimensions: dimensionsOf(names, effect.group) }),
    };
  };
}
