import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { dayOf, dayStart, type DayIndex } from '#domain/instant.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';

/** Exact events of a type by UTC day; days without any are left out. */
export async function eventsByDay(
  warehouse: Pick<Warehouse, 'query'>,
  {
    namespace,
    type,
    firstDay,
    endDay,
  }: {
    readonly namespace: string;
    readonly type: string;
    readonly firstDay: DayIndex;
    readonly endDay: DayIndex;
  },
): Promise<ReadonlyMap<DayIndex, number>> {
  const rows = warehouse.query('usage_by_window', {
    namespace,
    type,
    from: formatInstant(dayStart(firstDay)),
    to: formatInstant(dayStart(endDay)),
    aggregation: 'count',
    window: 'day',
  });
  const days = new Map<DayIndex, number>();
  for await (const { window_start: start, events } of rows) {
    const parsed = parseRfc3339(String(start));
    if (parsed === undefined) throw new Error(`the warehouse gave ${String(start)} for the start of a day`);
    days.set(dayOf(parsed.at), Number(events));
  }
  return days;
}
