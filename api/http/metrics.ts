import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DelayHistogram } from '#infra/telemetry/delay-histogram.ts';
import type { MeasuredMetric } from '#infra/telemetry/measured-metrics.ts';
import { registerDelays } from '#infra/telemetry/registry-histogram.ts';

export interface ObservedRequest {
  /** The route's name; `none` where no route was found. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly latencyMs: number;
}

/** What `GET /metrics` shows of this process. Names and units follow Prometheus' conventions. */
export interface Metrics {
  observeRequest(request: ObservedRequest): void;
  countEvents(outcome: 'accepted' | 'rejected', count: number): void;
  countReservation(outcome: string): void;
  /** Sets a gauge that was read elsewhere, such as the stores' state. Without values there is none: it must not stand there as it was. */
  setGauge(name: string, help: string, values: readonly GaugeValue[]): void;
  /** The same for what another process has counted since it started. */
  setCounter(name: string, help: string, values: readonly GaugeValue[]): void;
  setHistogram(name: string, help: string, delays: Readonly<Pick<DelayHistogram, 'counts' | 'sum'>>): void;
  text(): Promise<string>;
  /** The same as `text`, for an exporter. */
  measured(): Promise<readonly MeasuredMetric[]>;
  readonly contentType: string;
}

export interface GaugeValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Quota checks take microseconds, exports take seconds. */
const LATENCY_BUCKETS_SECONDS = [
  0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'millrace_http_request_duration_seconds',
    help: 'From the first byte of the request to the last of its answer.',
    labelNames: ['route', 'method', 'status'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers,
  });
  const answered = new Counter({
    name: 'millrace_http_requests_total',
    help: 'Requests, by the class of their status.',
    labelNames: ['route', 'class'],
    registers,
  });
  const events = new Counter({
    name: 'millrace_http_events_total',
    help: 'Events that came over HTTP.',
    labelNames: ['outcome'],
    registers,
  });
  const reservations = new Counter({
    name: 'millrace_http_reservations_total',
    help: 'Reservations asked for over HTTP, by what became of them.',
    labelNames: ['outcome'],
    registers,
  });
  const series = new Map<string, ObservedSeries>();
  return {
    observeRequest: ({ route, method, status, latencyMs }) => {
      // Finding a series by its labels costs more than counting in it, and there are few.
      const name = `${route} ${method} ${status}`;
      let one = series.get(name);
      if (one === undefined) {
        const of = { route, class: `${Math.floor(status / 100)}xx` };
        one = { latency: requests.labels({ route, method, status }), answered: answered.labels(of) };
        series.set(name, one);
      }
      one.latency.observe(latencyMs / 1_000);
      one.answered.inc();
    },
    countEvents: (outcome, count) => events.inc({ outcome }, count),
    countReservation: (outcome) => reservations.inc({ outcome }),
    setGauge: (name, help, values) => {
      registry.removeSingleMetric(name);
      if (values.length === 0) return;
      const gauge = new Gauge({ name, help, labelNames: labelNamesOf(values), registers });
      for (const { labels, value } of values) gauge.set(labels, value);
    },
    setCounter: (name, help, values) => {
      registry.removeSingleMetric(name);
      if (values.length === 0) return;
      const counter = new Counter({ name, help, labelNames: labelNamesOf(values), registers });
      for (const { labels, value } of values) counter.inc(labels, value);
    },
    setHistogram: (name, help, delays) => registerDelays(registry, { name, help }, delays),
    text: () => registry.metrics(),
    measured: async () => (await registry.getMetricsAsJSON()) as unknown as MeasuredMetric[],
    contentType: registry.contentType,
  };
}

interface ObservedSeries {
  readonly latency: Histogram.Internal<string>;
  readonly answered: Counter.Internal;
}

/** All values of a metric have the same labels. */
const labelNamesOf = ([first]: readonly GaugeValue[]): string[] => Object.keys(first?.labels ?? {});
