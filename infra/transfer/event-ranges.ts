import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { dayOf, MICROS_PER_DAY, MICROS_PER_HOUR, type Instant } from '#domain/instant.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';

/** A stretch of event time, [from, to), with the events in it. */
export interface EventRange {
  readonly from: Instant;
  readonly to: Instant;
  readonly events: number;
}

/** No event happens later than a little after it is published. */
const AHEAD_MICROS = MICROS_PER_DAY;

/**
 * Cuts a namespace's events into ranges, in order, so that each is one question to the warehouse of about `eventsMax` events at most: whole
 * hours of one UTC day. An hour with more events is a range of its own.
 */
export async function readEventRanges(
  warehouse: Pick<Warehouse, 'query'>,
  {
    namespace,
    now,
    eventsMax,
  }: { readonly namespace: string; readonly now: Instant; readonly eventsMax: number },
): Promise<EventRange[]> {
  const ranges: EventRange[] = [];
  const hours = warehouse.query('usage_by_window', {
    namespace,
    from: formatInstant(0),
    to: formatInstant(now + AHEAD_MICROS),
    aggregation: 'count',
    window: 'hour',
  });
  for await (const { window_start: start, events: counted } of hours) {
    const from = parseRfc3339(String(start))?.at ?? 0;
    const [to, events] = [from + MICROS_PER_HOUR, Number(counted)];
    const last = ranges.at(-1);
    if (last !== undefined && dayOf(last.from) === dayOf(from) && last.events + events <= eventsMax)
      ranges.splice(-1, 1, { from: last.from, to, events: last.events + events });
    else ranges.push({ from, to, events });
  }
  return ranges;
}
