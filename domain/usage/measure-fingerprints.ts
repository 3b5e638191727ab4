import {
  addFingerprint,
  emptyFingerprint,
  fingerprintToHash,
  type Fingerprint,
} from '../metering/fingerprint.ts';
import { toHex } from '../metering/hash128.ts';
import { indexCells, takeParts } from './cells-in-range.ts';
import { classesBySpans, splitBySpans } from './counted-spans.ts';
import type { SubjectUsage } from './loaded-usage.ts';
import type { Measure } from './measure.ts';
import type { Series, SeriesOf } from './series.ts';
import type { UsageQuery } from './usage-query.ts';

/** The fingerprint of no events. */
export const NO_EVENTS = toHex(fingerprintToHash(emptyFingerprint()));

/**
 * The fingerprints, in hex, of exactly the events of a window that count: those of the parts that it is made of, whatever is measured of them. A level
 * comes from earlier events too; they are in the fingerprints of their own time.
 */
export function measureFingerprints(
  query: UsageQuery,
  usage: readonly SubjectUsage[],
  seriesOf: SeriesOf,
): Measure {
  const classes = classesBySpans(usage).map(({ spans, usage: ofClass }) => ({
    spans,
    cells: indexCells(ofClass, seriesOf, query.rolledThrough),
  }));
  return (window) => {
    const sums = new Map<Series, Fingerprint>();
    for (const { spans, cells } of classes)
      for (const { from, to, counts } of splitBySpans(window, spans))
        if (counts) takeParts(cells, from, to, (series, part) => addFingerprint(sumOf(sums, series), part));
    return new Map([...sums].map(([series, sum]) => [series, toHex(fingerprintToHash(sum))]));
  };
}

function sumOf(sums: Map<Series, Fingerprint>, series: Series): Fingerprint {
  let sum = sums.get(series);
  if (!sum) {
    sum = emptyFingerprint();
    sums.set(series, sum);
  }
  return sum;
}
