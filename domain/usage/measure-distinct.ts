import type { DayIndex } from '../instant.ts';
import { DISTINCT_VALUES_PER_QUERY_MAX } from '../limits.ts';
import type { Hash128 } from '../metering/hash128.ts';
import { classesBySpans, splitBySpans } from './counted-spans.ts';
import { MINUTES_PER_DAY, decomposeByDay, type DaySpan } from './decompose.ts';
import { indexEntries, type Indexed, type LoadedValue, type SubjectUsage } from './loaded-usage.ts';
import type { Measure } from './measure.ts';
import type { Series, SeriesOf } from './series.ts';

/** A query reads a bounded number of distinct values; what has more is a question for the warehouse. */
export class TooManyDistinctValuesError extends Error {
  readonly code = 'too_many_distinct_values';
  override readonly name = 'TooManyDistinctValuesError';

  constructor() {
    super(
      `the range has more than ${DISTINCT_VALUES_PER_QUERY_MAX} distinct values: ask the warehouse, or for a shorter range`,
    );
  }
}

/** Throws when one value too many is admitted. For whoever loads values, so that it can stop early, and for the measure itself. */
export function distinctValueBound(): (valueHash: Hash128) => void {
  const seen = new Set<Hash128>();
  return (valueHash) => {
    seen.add(valueHash);
    if (seen.size > DISTINCT_VALUES_PER_QUERY_MAX) throw new TooManyDistinctValuesError();
  };
}

type DayValues = readonly (readonly [Series, LoadedValue])[];

/** Unique: the number of values that at least one event named, over all subjects and groups of a series: a union, not a sum. */
export function measureDistinct(usage: readonly SubjectUsage[], seriesOf: SeriesOf): Measure {
  const admit = distinctValueBound();
  for (const { values } of usage) for (const { valueHash } of values) admit(valueHash);
  const classes = classesBySpans(usage).map(({ spans, usage: ofClass }) => ({
    spans,
    valuesWithin: createValuesWithin(indexValues(ofClass, seriesOf)),
  }));
  return (window) => {
    const distinct = new Map<Series, Set<Hash128>>();
    for (const { spans, valuesWithin } of classes)
      for (const { from, to, counts } of splitBySpans(window, spans))
        if (counts) for (const span of decomposeByDay(from, to)) addValues(distinct, valuesWithin(span));
    return new Map([...distinct].map(([series, values]) => [series, String(values.size)]));
  };
}

const indexValues = (usage: readonly SubjectUsage[], seriesOf: SeriesOf): Indexed<LoadedValue> =>
  indexEntries(usage, seriesOf, {
    entriesOf: (subject) => subject.values,
    placeOf: ({ day }) => day,
  });

function addValues(
  distinct: Map<Series, Set<Hash128>>,
  named: Iterable<readonly [Series, LoadedValue]>,
): void {
  for (const [series, { valueHash }] of named) {
    const values = distinct.get(series);
    if (values) values.add(valueHash);
    else distinct.set(series, new Set([valueHash]));
  }
}

/**
 * The values that are named in a span of a day. Many windows may share a day, so its values are arranged by minute once and kept
 * until another day is asked for.
 */
function createValuesWithin(
  days: Indexed<LoadedValue>,
): (span: DaySpan) => Iterable<readonly [Series, LoadedValue]> {
  let arranged: { day: DayIndex; minutes: ReadonlyMap<number, DayValues> } | undefined;
  return function* within({ day, fromMinute, toMinute }) {
    const values = days.get(day) ?? [];
    if (fromMinute === 0 && toMinute === MINUTES_PER_DAY) {
      for (const entry of values) if (entry[1].value.references > 0) yield entry;
      return;
    }
    if (arranged?.day !== day) arranged = { day, minutes: byMinute(values) };
    for (let minute = fromMinute; minute < toMinute; minute++) yield* arranged.minutes.get(minute) ?? [];
  };
}

function byMinute(values: DayValues): Map<number, DayValues> {
  const minutes = new Map<number, (readonly [Series, LoadedValue])[]>();
  for (const entry of values) {
    for (const [minute, references] of entry[1].value.minutes) {
      if (references <= 0) continue;
      const named = minutes.get(minute);
      if (named) named.push(entry);
      else minutes.set(minute, [entry]);
    }
  }
  return minutes;
}
