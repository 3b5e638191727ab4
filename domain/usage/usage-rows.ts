import type { TimeWindow } from '../calendar/window.ts';
import type { Instant } from '../instant.ts';
import type { Aggregation } from '../metering/accumulator.ts';
import type { SubjectUsage } from './loaded-usage.ts';
import type { Measure, Measured } from './measure.ts';
import { measureCells } from './measure-cells.ts';
import { measureDistinct } from './measure-distinct.ts';
import { NO_EVENTS, measureFingerprints } from './measure-fingerprints.ts';
import { measureTimeWeighted } from './measure-time-weighted.ts';
import {
  TOTAL_SERIES,
  compareSeries,
  groupValues,
  seriesSelector,
  type Series,
  type SeriesOf,
} from './series.ts';
import { isGrouped, windowsOf, type RowPosition, type UsageQuery } from './usage-query.ts';

export interface UsageRow {
  readonly from: Instant;
  readonly to: Instant;
  /** Only when grouped by subject. */
  readonly subject?: string;
  /** Only when grouped by dimensions: dimension -> value, "" where an event had none. */
  readonly group?: Readonly<Record<string, string>>;
  /** A decimal string; null when the aggregation has no value for an empty window. */
  readonly value: string | null;
  /** Only when asked for, in hex: the sum of the digests of exactly the events of the row. */
  readonly fingerprint?: string;
}

/**
 * The rows of an answer, in order of (from, subject, group), from what its reading plan has loaded. Lazy: whoever pages takes as many
 * as it wants and goes on later with `after: positionOf(query, last row)`, or streams them all.
 * Without groups every window has a row; with groups only series with usage have.
 */
export function* usageRows(query: UsageQuery, usage: readonly SubjectUsage[]): Generator<UsageRow, void> {
  const seriesOf = seriesSelector(query);
  const measure = measureOf(query, usage, seriesOf);
  const fingerprintsIn = query.fingerprints ? measureFingerprints(query, usage, seriesOf) : undefined;
  for (const window of windowsOf(query)) {
    const measured = { values: measure(window), fingerprints: fingerprintsIn?.(window) };
    if (isGrouped(query)) yield* groupedRows(query, window, measured);
    else if (query.after?.from !== window.from)
      yield {
        ...window,
        value: measured.values.get(TOTAL_SERIES) ?? emptyValue(query.aggregation),
        ...fingerprintOf(measured, TOTAL_SERIES),
      };
  }
}

/** What a window comes to; fingerprints where they are asked for. */
interface MeasuredWindow {
  readonly values: Measured;
  readonly fingerprints: Measured | undefined;
}

/** Groups of a level that is only held have usage, but no events. */
const fingerprintOf = (
  { fingerprints }: MeasuredWindow,
  series: Series,
): Pick<UsageRow, 'fingerprint'> | undefined =>
  fingerprints && { fingerprint: fingerprints.get(series) ?? NO_EVENTS };

function measureOf(query: UsageQuery, usage: readonly SubjectUsage[], seriesOf: SeriesOf): Measure {
  switch (query.aggregation) {
    case 'unique':
      return measureDistinct(usage, seriesOf);
    case 'timeWeightedSum':
      return measureTimeWeighted(query, usage, seriesOf);
    case 'count':
    case 'sum':
    case 'min':
    case 'max':
    case 'average':
    case 'latest':
      return measureCells(query, usage, seriesOf);
  }
}

/** No events have a number and a sum, but no least, greatest, mean or latest value. A level is never without a value. */
const emptyValue = (aggregation: Aggregation): string | null =>
  aggregation === 'count' || aggregation === 'sum' || aggregation === 'unique' ? '0' : null;

function* groupedRows(
  query: UsageQuery,
  window: TimeWindow,
  measured: MeasuredWindow,
): Generator<UsageRow, void> {
  const { after } = query;
  for (const [series, value] of [...measured.values].sort(([a], [b]) => compareSeries(a, b))) {
    if (after?.from === window.from && compareSeries(series, after) <= 0) continue;
    yield { ...window, ...labels(query, series), value, ...fingerprintOf(measured, series) };
  }
}

function labels(query: UsageQuery, series: Series): Pick<UsageRow, 'subject' | 'group'> {
  const values = query.groupBy.length === 0 ? [] : groupValues(series.group, query.groupBy.length);
  return {
    ...(query.bySubject ? { subject: series.subject } : {}),
    ...(values.length > 0
      ? { group: Object.fromEntries(query.groupBy.map((name, i) => [name, values[i] ?? ''])) }
      : {}),
  };
}

/** Where a row stands, for a cursor. */
export function positionOf(query: UsageQuery, row: UsageRow): RowPosition {
  const { group } = row;
  return {
    from: row.from,
    subject: row.subject ?? '',
    group: group ? JSON.stringify(query.groupBy.map((name) => group[name])) : '',
  };
}
