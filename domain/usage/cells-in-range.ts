import { dayStart, hourStart, type DayIndex, type Instant } from '../instant.ts';
import type { Accumulator } from '../metering/accumulator.ts';
import type { HourCell } from '../metering/hour-cell.ts';
import { decompose, type MinuteSpan } from './decompose.ts';
import {
  entriesBetween,
  indexEntries,
  type Indexed,
  type LoadedDay,
  type LoadedHour,
  type SubjectUsage,
} from './loaded-usage.ts';
import type { Series, SeriesOf } from './series.ts';

/** Loaded cells by day and by hour. */
export interface IndexedCells {
  readonly days: Indexed<LoadedDay>;
  readonly hours: Indexed<LoadedHour>;
  readonly rolledThrough: DayIndex;
}

export const indexCells = (
  usage: readonly SubjectUsage[],
  seriesOf: SeriesOf,
  rolledThrough: DayIndex,
): IndexedCells => ({
  days: indexEntries(usage, seriesOf, { entriesOf: (subject) => subject.days, placeOf: ({ day }) => day }),
  hours: indexEntries(usage, seriesOf, {
    entriesOf: (subject) => subject.hours,
    placeOf: ({ hour }) => hour,
  }),
  rolledThrough,
});

/** Takes one part of a range: whose it is, what its events amount to, and the start of its cell, from where a moment counts. */
export type TakePart = (series: Series, accumulator: Accumulator, cellStart: Instant) => void;

/** Hands over the parts of [from, to) that have events: whole days, whole hours and minutes, each event in exactly one of them. */
export function takeParts(cells: IndexedCells, from: Instant, to: Instant, take: TakePart): void {
  const parts = decompose(from, to, cells.rolledThrough);
  const takeEventful: TakePart = (series, accumulator, cellStart) => {
    // What voids have emptied is no usage.
    if (accumulator.count > 0) take(series, accumulator, cellStart);
  };
  for (const range of parts.days)
    for (const [series, { day, cell }] of entriesBetween(cells.days, range))
      takeEventful(series, cell.totals, dayStart(day));
  for (const range of parts.hours)
    for (const [series, { hour, cell }] of entriesBetween(cells.hours, range))
      takeEventful(series, cell.totals, hourStart(hour));
  for (const span of parts.minutes)
    for (const [series, { cell }] of cells.hours.get(span.hour) ?? [])
      takeMinutes(cell, span, (minute) => takeEventful(series, minute, hourStart(span.hour)));
}

/** Walks the shorter of the span and the sparse map of minutes. */
function takeMinutes({ minutes }: HourCell, span: MinuteSpan, take: (minute: Accumulator) => void): void {
  if (minutes.size < span.toMinute - span.fromMinute) {
    for (const [minute, accumulator] of minutes)
      if (minute >= span.fromMinute && minute < span.toMinute) take(accumulator);
    return;
  }
  for (let minute = span.fromMinute; minute < span.toMinute; minute++) {
    const accumulator = minutes.get(minute);
    if (accumulator) take(accumulator);
  }
}
