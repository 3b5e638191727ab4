import type { MeasuredMetric, MeasuredValue } from '#infra/telemetry/measured-metrics.ts';

export interface ObservedRequest {
  /** The route's name; `none` where no route was found. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly latencyMs: number;
}

/**
 * The requests of a process by route, method and status. The registry's own metrics look each observation up by its labels, checked and put
 * together anew, which costs more than a request's route; there are few series, so each is found by its three names.
 */
export interface RequestTally {
  count(request: ObservedRequest): void;
  durations(): MeasuredMetric;
  answered(): MeasuredMetric;
}

export const REQUEST_DURATIONS = {
  name: 'millrace_http_request_duration_seconds',
  help: 'From the first byte of the request to the last of its answer.',
  type: 'histogram',
  aggregator: 'sum',
} as const;

export const REQUESTS_ANSWERED = {
  name: 'millrace_http_requests_total',
  help: 'Requests, by the class of their status.',
  type: 'counter',
  aggregator: 'sum',
} as const;

/** Quota checks take microseconds, exports take seconds. */
const LATENCY_BUCKETS_SECONDS = [
  0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
] as const;

interface Series {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  /** How many lie in each bucket alone; the last holds what is above all boundaries. */
  readonly counts: number[];
  sumSeconds: number;
}

type ByStatus = Map<number, Series>;
type ByMethod = Map<string, ByStatus>;

export function createRequestTally(): RequestTally {
  const routes = new Map<string, ByMethod>();
  const all: Series[] = [];
  return {
    count: (request) => {
      const { route, method, status, latencyMs } = request;
      let series = routes.get(route)?.get(method)?.get(status);
      if (series === undefined) all.push((series = addSeries(routes, request)));
      const seconds = latencyMs / 1_000;
      const bucket = bucketOf(seconds);
      series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
      series.sumSeconds += seconds;
    },
    durations: () => ({ ...REQUEST_DURATIONS, values: all.flatMap(durationsOf) }),
    answered: () => ({ ...REQUESTS_ANSWERED, values: answeredByClass(all) }),
  };
}

function addSeries(routes: Map<string, ByMethod>, { route, method, status }: ObservedRequest): Series {
  const methods: ByMethod = routes.get(route) ?? new Map<string, ByStatus>();
  const statuses: ByStatus = methods.get(method) ?? new Map<number, Series>();
  const counts = new Array<number>(LATENCY_BUCKETS_SECONDS.length + 1).fill(0);
  const series: Series = { route, method, status, counts, sumSeconds: 0 };
  routes.set(route, methods.set(method, statuses.set(status, series)));
  return series;
}

/** Nearly all lie in the first ones. */
function bucketOf(seconds: number): number {
  let bucket = 0;
  while (bucket < LATENCY_BUCKETS_SECONDS.length && seconds > (LATENCY_BUCKETS_SECONDS[bucket] ?? 0))
    bucket++;
  return bucket;
}

/** Buckets up to each boundary, the sum and the count. */
function durationsOf({ route, method, status, counts, sumSeconds }: Series): MeasuredValue[] {
  const { name } = REQUEST_DURATIONS;
  const labels = { route, method, status };
  let upTo = 0;
  const buckets = counts.map((count, index) => {
    upTo += count;
    const le = LATENCY_BUCKETS_SECONDS[index] ?? '+Inf';
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: upTo };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumSeconds },
    { metricName: `${name}_count`, labels, value: upTo },
  ];
}

function answeredByClass(all: readonly Series[]): MeasuredValue[] {
  const values = new Map<string, { labels: { route: string; class: string }; value: number }>();
  for (const { route, status, counts } of all) {
    const labels = { route, class: `${Math.floor(status / 100)}xx` };
    const name = `${labels.class} ${route}`;
    const known = values.get(name) ?? { labels, value: 0 };
    known.value += counts.reduce((sum, count) => sum + count, 0);
    values.set(name, known);
  }
  return [...values.values()];
}
