import type { ReceivedMetric } from './received.ts';

export type Labels = Readonly<Record<string, string>>;

/** The newest value of one series of one process. */
export interface Series {
  readonly labels: Labels;
  readonly value: number;
  /** Only of histograms: how many lie in each bucket, and the buckets' upper bounds. */
  readonly histogram?: { readonly counts: readonly number[]; readonly bounds: readonly number[] };
}

/** Processes come and go in a long session; the eldest are forgotten. */
const PROCESSES_MAX = 64;
const SERIES_PER_METRIC_MAX = 2_000;

export interface MetricBook {
  take(metrics: readonly ReceivedMetric[]): void;
  /** The newest values of all processes together; counters and histograms count since each process started. */
  series(name: string): readonly Series[];
}

export function createMetricBook(): MetricBook {
  const processes = new Map<string, Map<string, readonly Series[]>>();
  return {
    take: (metrics) => {
      for (const metric of metrics) {
        const book = processes.get(metric.instance) ?? new Map<string, readonly Series[]>();
        // Newest last, so that the first is the one heard of longest ago.
        processes.delete(metric.instance);
        processes.set(metric.instance, book);
        book.set(metric.name, seriesOf(metric).slice(0, SERIES_PER_METRIC_MAX));
      }
      for (const instance of processes.keys()) {
        if (processes.size <= PROCESSES_MAX) break;
        processes.delete(instance);
      }
    },
    series: (name) => [...processes.values()].flatMap((book) => book.get(name) ?? []),
  };
}

function seriesOf({ gauge, sum, histogram }: ReceivedMetric): Series[] {
  const numbers = [...(gauge?.dataPoints ?? []), ...(sum?.dataPoints ?? [])];
  const plain = numbers.map(({ attributes, asDouble }) => ({ labels: attributes, value: asDouble }));
  const counted = (histogram?.dataPoints ?? []).map(
    ({ attributes, count, bucketCounts, explicitBounds }) => ({
      labels: attributes,
      value: count,
      histogram: { counts: bucketCounts, bounds: explicitBounds },
    }),
  );
  return [...plain, ...counted];
}

/** Whether a series has one of the listed values of every listed label. */
export const matches = (labels: Labels, wanted: Readonly<Record<string, readonly string[]>>): boolean =>
  Object.entries(wanted).every(([name, values]) => values.includes(labels[name] ?? ''));

export const total = (series: readonly Series[]): number => series.reduce((sum, { value }) => sum + value, 0);

/** How many of all series lie at or below a bound, which is one of the buckets' own. */
export const countedUpTo = (series: readonly Series[], bound: number): number =>
  series.reduce((sum, { histogram }) => {
    if (histogram === undefined) return sum;
    const { counts, bounds } = histogram;
    return (
      sum +
      counts.reduce((part, count, index) => part + ((bounds[index] ?? Infinity) <= bound ? count : 0), 0)
    );
  }, 0);

/** Counts in each bucket over all series, which all have the same bounds. */
export function buckets(series: readonly Series[]): { counts: number[]; bounds: readonly number[] } {
  const bounds = series.find(({ histogram }) => histogram !== undefined)?.histogram?.bounds ?? [];
  const counts = new Array<number>(bounds.length + 1).fill(0);
  for (const { histogram } of series)
    histogram?.counts.forEach((count, index) => (counts[index] = (counts[index] ?? 0) + count));
  return { counts, bounds };
}
