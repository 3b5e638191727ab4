import type { MeasuredValue } from './measured-metrics.ts';

/**
 * From publishing to commit: fresh is some milliseconds, a backlog is minutes, an outage hours. The objective of freshness is one of the
 * boundaries.
 */
export const DELAY_BUCKETS_SECONDS = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600,
] as const;

/** How many delays lie in each bucket (the last holds what is above all boundaries), and their sum in seconds. Plain, so that it can be sent. */
export interface DelayHistogram {
  readonly counts: number[];
  sum: number;
}

export const emptyDelays = (): DelayHistogram => ({
  counts: new Array<number>(DELAY_BUCKETS_SECONDS.length + 1).fill(0),
  sum: 0,
});

/** Counts a delay that so many events had. */
export function countDelay(delays: DelayHistogram, seconds: number, events = 1): void {
  let bucket = 0;
  while (bucket < DELAY_BUCKETS_SECONDS.length && seconds > (DELAY_BUCKETS_SECONDS[bucket] ?? 0)) bucket++;
  delays.counts[bucket] = (delays.counts[bucket] ?? 0) + events;
  delays.sum += seconds * events;
}

/** The series of a Prometheus histogram: buckets up to each boundary, the sum and the count. */
export function delayValues(
  name: string,
  { counts, sum }: { readonly counts: readonly number[]; readonly sum: number },
): MeasuredValue[] {
  let upTo = 0;
  const buckets = counts.map((count, index) => {
    upTo += count;
    const le = DELAY_BUCKETS_SECONDS[index] ?? '+Inf';
    return { metricName: `${name}_bucket`, labels: { le }, value: upTo };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, value: sum },
    { metricName: `${name}_count`, labels: {}, value: upTo },
  ];
}
