import type { HrTime } from '@opentelemetry/api';
import { ValueType } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type DataPoint,
  type Histogram,
  type MetricData,
  type MetricDescriptor,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';

/** One metric with all its series, as `GET /metrics` shows it: a histogram in cumulative buckets, its sum and its count. */
export interface MeasuredMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly MeasuredValue[];
}

export interface MeasuredValue {
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
  /** Of a histogram: which of its three kinds of series this is. */
  readonly metricName?: string;
}

/** What can be asked for its metrics at any time: a registry of prom-client, brought up to date. */
export type MetricSource = () => Promise<readonly MeasuredMetric[]>;

const sources = new Set<MetricSource>();

/** From now on the metrics of the source are exported too. Returns how to take it away again. */
export function addMetricSource(source: MetricSource): () => void {
  sources.add(source);
  return () => void sources.delete(source);
}

const SCOPE = { name: 'millrace' };

/**
 * Every metric is declared once, where `GET /metrics` reads it, and exported from there: both can never differ, and counting costs nothing
 * more. The values count from the start of the process.
 */
export function exportMeasured(resource: Resource, startedAt: HrTime, now: () => HrTime): MetricProducer {
  return {
    collect: async () => {
      const errors: unknown[] = [];
      const found = await Promise.all(
        [...sources].map((source) =>
          source().catch((error: unknown) => {
            errors.push(error);
            return [];
          }),
        ),
      );
      const at = { startTime: startedAt, endTime: now() };
      const metrics = found.flat().flatMap((metric) => toMetricData(metric, at));
      return { resourceMetrics: { resource, scopeMetrics: [{ scope: SCOPE, metrics }] }, errors };
    },
  };
}

interface Span {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

/** A kind that OTLP has no equal of is left to `GET /metrics`. */
function toMetricData(metric: MeasuredMetric, at: Span): MetricData[] {
  const { name, help, type, values } = metric;
  const descriptor: MetricDescriptor = {
    name,
    description: help,
    unit: unitOf(name),
    valueType: ValueType.DOUBLE,
  };
  const cumulative = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  const points = (): DataPoint<number>[] =>
    values.map(({ labels, value }) => ({ ...at, attributes: textLabels(labels), value }));
  switch (type) {
    case 'counter':
      return [{ ...cumulative, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: points() }];
    case 'gauge':
      return [{ ...cumulative, dataPointType: DataPointType.GAUGE, dataPoints: points() }];
    case 'histogram':
      return [
        { ...cumulative, dataPointType: DataPointType.HISTOGRAM, dataPoints: histogramPoints(metric, at) },
      ];
    default:
      return [];
  }
}

/** The unit is the last word of a name, by Prometheus' conventions; UCUM as OTLP asks. */
function unitOf(name: string): string {
  if (/_seconds(?:_total)?$/.test(name)) return 's';
  return /_bytes(?:_total)?$/.test(name) ? 'By' : '1';
}

const textLabels = (labels: MeasuredValue['labels']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );

/** Buckets come cumulative, by label `le`; OTLP wants what lies in each. */
function histogramPoints({ name, values }: MeasuredMetric, at: Span): DataPoint<Histogram>[] {
  const series = new Map<string, MutableHistogram>();
  for (const { labels, value, metricName } of values) {
    const { le, ...rest } = labels;
    const attributes = textLabels(rest);
    const key = JSON.stringify(Object.entries(attributes).sort(([one], [two]) => (one < two ? -1 : 1)));
    let one = series.get(key);
    if (one === undefined)
      series.set(key, (one = { attributes, boundaries: [], upTo: [], sum: 0, count: 0 }));
    if (metricName === `${name}_sum`) one.sum = value;
    else if (metricName === `${name}_count`) one.count = value;
    else if (le !== '+Inf') {
      one.boundaries.push(Number(le));
      one.upTo.push(value);
    }
  }
  return [...series.values()].map((one) => ({
    ...at,
    attributes: one.attributes,
    value: { buckets: { boundaries: one.boundaries, counts: countsOf(one) }, sum: one.sum, count: one.count },
  }));
}

interface MutableHistogram {
  readonly attributes: Record<string, string>;
  readonly boundaries: number[];
  readonly upTo: number[];
  sum: number;
  count: number;
}

const countsOf = ({ upTo, count }: MutableHistogram): number[] =>
  [...upTo, count].map((value, index) => value - (upTo[index - 1] ?? 0));
