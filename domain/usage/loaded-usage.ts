import type { TimeWindow } from '../calendar/window.ts';
import type { DayIndex, HourIndex } from '../instant.ts';
import type { DayCell } from '../metering/day-cell.ts';
import type { DistinctValue } from '../metering/distinct-value.ts';
import type { Hash128 } from '../metering/hash128.ts';
import type { HourCell } from '../metering/hour-cell.ts';
import type { IndexRange } from './decompose.ts';
import type { Series, SeriesOf } from './series.ts';

/**
 * A group is the canonical JSON array of its dimension values in the order of the sorted dimension names: `["m1","eu"]` for
 * {model: "m1", region: "eu"} is stored under [model, region]. In the total view it says nothing and is not read.
 */
interface Grouped {
  readonly group: string;
}

export interface LoadedDay extends Grouped {
  readonly day: DayIndex;
  readonly cell: DayCell;
}

/** Merged over the slots; or one entry a slot, which comes to the same. */
export interface LoadedHour extends Grouped {
  readonly hour: HourIndex;
  readonly cell: HourCell;
}

export interface LoadedValue extends Grouped {
  readonly day: DayIndex;
  readonly valueHash: Hash128;
  readonly value: DistinctValue;
}

/** What a reading plan asks for, of one subject, in any order. */
export interface SubjectUsage {
  readonly subject: string;
  readonly days: readonly LoadedDay[];
  readonly hours: readonly LoadedHour[];
  readonly values: readonly LoadedValue[];
  /** Of every group the last day cell at or before the plan's `levelDay`. */
  readonly levels: readonly LoadedDay[];
  /** When its usage counts: whole minutes, in order, disjoint. Absent: all the time. */
  readonly spans?: readonly TimeWindow[];
}

export const emptySubjectUsage = (subject: string): SubjectUsage => ({
  subject,
  days: [],
  hours: [],
  values: [],
  levels: [],
});

/** Whether a cell waits to be recomputed from the warehouse: such usage may be shown but never invoiced. */
export const hasDirtyCells = (usage: Iterable<SubjectUsage>): boolean =>
  Iterator.from(usage).some(({ days, hours, levels }) =>
    [days, hours, levels].some((cells) => cells.some(({ cell }) => cell.dirty)),
  );

export type Indexed<Entry> = ReadonlyMap<number, readonly (readonly [Series, Entry])[]>;

/** How entries of one kind are found and where in time they belong. */
interface EntryKind<Entry> {
  entriesOf(subject: SubjectUsage): readonly Entry[];
  placeOf(entry: Entry): number;
}

/** Entries by their hour or day, each with the series that it counts in; left out when it counts in none. */
export function indexEntries<Entry extends Grouped>(
  usage: readonly SubjectUsage[],
  seriesOf: SeriesOf,
  kind: EntryKind<Entry>,
): Indexed<Entry> {
  const index = new Map<number, (readonly [Series, Entry])[]>();
  for (const subjectUsage of usage) {
    for (const entry of kind.entriesOf(subjectUsage)) {
      const series = seriesOf(subjectUsage.subject, entry.group);
      if (!series) continue;
      const place = index.get(kind.placeOf(entry));
      if (place) place.push([series, entry]);
      else index.set(kind.placeOf(entry), [[series, entry]]);
    }
  }
  return index;
}

/** The entries of a range of places, in order of place. */
export function* entriesBetween<Entry>(
  index: Indexed<Entry>,
  range: IndexRange,
): Generator<readonly [Series, Entry], void> {
  for (let place = range.from; place < range.to; place++) yield* index.get(place) ?? [];
}
