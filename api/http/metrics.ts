import { Counter, Gauge, Registry } from 'prom-client';
import type { DelayHistogram } from '#infra/telemetry/delay-histogram.ts';
import type { MeasuredMetric } from '#infra/telemetry/measured-metrics.ts';
import { registerCounted, registerDelays } from '#infra/telemetry/registry-histogram.ts';
import {
  createRequestTally,
  REQUEST_DURATIONS,
  REQUESTS_ANSWERED,
  type ObservedRequest,
} from './request-tally.ts';

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

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = createRequestTally();
  registerCounted(registry, REQUEST_DURATIONS, requests.durations);
  registerCounted(registry, REQUESTS_ANSWERED, requests.answered);
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
  return {
    observeRequest: requests.count,
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

/** All values of a metric have the same labels. */
const labelNamesOf = ([first]: readonly GaugeValue[]): string[] => Object.keys(first?.labels ?? {});
