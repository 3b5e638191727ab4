import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayStart, type DayIndex } from '#domain/instant.ts';
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
): Promise<number[]> {
  const rows = warehouse.query('usage_by_window', {
    namespace,
    type,
    from: formatInstant(dayStart(firstDay)),
    to: formatInstant(dayStart(endDay)),
    aggregation: 'count',
    window: 'day',
  });
  return Array.fromAsync(rows, (row) => Number(row['events']));
}
