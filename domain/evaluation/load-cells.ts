import { dayOf, hourStart, type DayIndex } from '../instant.ts';
import type { Aggregation } from '../metering/accumulator.ts';
import type { Batch, CellChange } from '../metering/batch.ts';
import { addHourToDay, addToSeries, emptyDayCell, type DayCell } from '../metering/day-cell.ts';
import { addToHourCell, unpackHourCell } from '../metering/hour-cell.ts';
import type { IndexRange } from '../usage/decompose.ts';
import type { LoadedDay, LoadedHour, LoadedValue, SubjectUsage } from '../usage/loaded-usage.ts';
import type { ReadingPlan } from '../usage/reading-plan.ts';

/** What a reading plan asks for, from the cells of a batch instead of a store: as they would be stored, every day rolled. */
export function loadCells(batch: Batch, aggregation: Aggregation, plan: ReadingPlan): SubjectUsage[] {
  const cells = Map.groupBy(
    batch.cells.filter(({ view }) => view === plan.view),
    ({ subject }) => subject,
  );
  const distincts = Map.groupBy(batch.distincts, ({ subject }) => subject);
  return batch.subjects.map(({ subject }) => {
    const hours = (cells.get(subject) ?? []).map((cell) => hourOfChange(aggregation, cell));
    const days = daysOf(aggregation, hours);
    return {
      subject,
      days: days.filter(({ day }) => isWithin(plan.days, day)),
      hours: hours.filter(({ hour }) => isWithin(plan.hours, hour)),
      values: (distincts.get(subject) ?? [])
        .filter(({ day }) => isWithin(plan.valueDays, day))
        .map(({ day, group, valueHash, change }): LoadedValue => ({ day, group, valueHash, value: change })),
      levels: lastDays(days, plan.levelDay),
    };
  });
}

/** A plan's ranges are disjoint and rising, and may be as many as windows. */
function isWithin(ranges: readonly IndexRange[], place: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((ranges[middle]?.to ?? Infinity) <= place) low = middle + 1;
    else high = middle;
  }
  return (ranges[low]?.from ?? Infinity) <= place;
}

const hourOfChange = (aggregation: Aggregation, { hour, group, minutes }: CellChange): LoadedHour => ({
  hour,
  group,
  cell: unpackHourCell(aggregation, addToHourCell(undefined, aggregation, minutes)),
});

/** The day cells of every group, with the level at their start. */
function daysOf(aggregation: Aggregation, hours: readonly LoadedHour[]): LoadedDay[] {
  return [...Map.groupBy(hours, ({ group }) => group)].flatMap(([group, ofGroup]) => {
    const changes = new Map<DayIndex, DayCell>();
    for (const { hour, cell } of ofGroup) {
      const day = dayOf(hourStart(hour));
      const ofDay = changes.get(day) ?? emptyDayCell();
      changes.set(day, ofDay);
      addHourToDay(ofDay, aggregation, hour, cell.totals);
    }
    return addToSeries(aggregation, [], changes).map((each): LoadedDay => ({ ...each, group }));
  });
}

/** Of every group the last day at or before `levelDay`. The days of a group come in order. */
function lastDays(days: readonly LoadedDay[], levelDay: DayIndex | undefined): LoadedDay[] {
  if (levelDay === undefined) return [];
  const last = new Map<string, LoadedDay>();
  for (const each of days) if (each.day <= levelDay) last.set(each.group, each);
  return [...last.values()];
}
