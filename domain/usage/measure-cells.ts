import { emptyAccumulator, merge, type Accumulator } from '../metering/accumulator.ts';
import { toDecimalString, toScaled } from '../metering/quantity.ts';
import { indexCells, takeParts } from './cells-in-range.ts';
import { classesBySpans, splitBySpans } from './counted-spans.ts';
import { divideHalfAwayFromZero } from './division.ts';
import type { SubjectUsage } from './loaded-usage.ts';
import type { Measure } from './measure.ts';
import type { Series, SeriesOf } from './series.ts';
import type { UsageQuery } from './usage-query.ts';

/** Count, sum, min, max, average and latest: the window's parts are merged, in whatever order they come. */
export function measureCells(query: UsageQuery, usage: readonly SubjectUsage[], seriesOf: SeriesOf): Measure {
  const classes = classesBySpans(usage).map(({ spans, usage: ofClass }) => ({
    spans,
    cells: indexCells(ofClass, seriesOf, query.rolledThrough),
  }));
  return (window) => {
    const merged = new Map<Series, Accumulator>();
    for (const { spans, cells } of classes)
      for (const { from, to, counts } of splitBySpans(window, spans))
        if (counts)
          takeParts(cells, from, to, (series, part) =>
            merge(accumulatorOf(merged, series), query.aggregation, part),
          );
    return new Map([...merged].map(([series, accumulator]) => [series, valueOf(query, accumulator)]));
  };
}

function accumulatorOf(merged: Map<Series, Accumulator>, series: Series): Accumulator {
  let accumulator = merged.get(series);
  if (!accumulator) {
    accumulator = emptyAccumulator();
    merged.set(series, accumulator);
  }
  return accumulator;
}

function valueOf(query: UsageQuery, { count, value }: Accumulator): string {
  if (query.aggregation === 'count') return String(count);
  if (query.aggregation !== 'average') return toDecimalString(value);
  return toDecimalString(divideHalfAwayFromZero(toScaled(value), BigInt(count)));
}
