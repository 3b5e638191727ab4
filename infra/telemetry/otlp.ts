import type { HrTime } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { exportMeasured } from './measured-metrics.ts';
import { createSampler } from './sampler.ts';
import type { TelemetrySettings } from './settings.ts';

/** What waits to be sent, at most; the rest is dropped, since a collector that is down must cost no memory. */
const SPANS_QUEUED_MAX = 4_096;
const LOG_RECORDS_QUEUED_MAX = 4_096;
/** A collector that does not answer is given up after so long. */
const EXPORT_MS = 5_000;

/** Something that sends, and can be told to send what it has left. */
export interface Part {
  shutdown(): Promise<void>;
}

/** The parts that send traces, metrics and logs by OTLP, registered as the process' own. A module of its own, since it is large. */
export function startOtlp(
  settings: TelemetrySettings,
  attributes: Readonly<Record<string, string>>,
): readonly Part[] {
  const resource = resourceFromAttributes({ ...settings.resource, ...attributes });
  return [startTraces(settings, resource), startMetrics(settings, resource), startLogs(settings, resource)];
}

function startTraces({ endpoint, sampledShare }: TelemetrySettings, resource: Resource): Part {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_MS });
  const processor = new BatchSpanProcessor(exporter, {
    maxQueueSize: SPANS_QUEUED_MAX,
    exportTimeoutMillis: EXPORT_MS,
  });
  const provider = new NodeTracerProvider({
    resource,
    sampler: createSampler(sampledShare),
    spanProcessors: [processor],
  });
  provider.register();
  return provider;
}

function startMetrics({ endpoint, metricsEveryMs }: TelemetrySettings, resource: Resource): Part {
  const exporter = new OTLPMetricExporter({ url: `${endpoint}/v1/metrics`, timeoutMillis: EXPORT_MS });
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: metricsEveryMs,
    exportTimeoutMillis: Math.min(EXPORT_MS, metricsEveryMs),
    metricProducers: [exportMeasured(resource, clockTime(), clockTime)],
  });
  return new MeterProvider({ resource, readers: [reader] });
}

function startLogs({ endpoint }: TelemetrySettings, resource: Resource): Part {
  const exporter = new OTLPLogExporter({ url: `${endpoint}/v1/logs`, timeoutMillis: EXPORT_MS });
  const processor = new BatchLogRecordProcessor({
    exporter,
    maxQueueSize: LOG_RECORDS_QUEUED_MAX,
    exportTimeoutMillis: EXPORT_MS,
  });
  const provider = new LoggerProvider({ resource, processors: [processor] });
  logs.setGlobalLoggerProvider(provider);
  return provider;
}

const MILLIS_PER_SECOND = 1_000;
const NANOS_PER_MILLI = 1_000_000;

function clockTime(): HrTime {
  const now = Date.now();
  return [Math.floor(now / MILLIS_PER_SECOND), (now % MILLIS_PER_SECOND) * NANOS_PER_MILLI];
}
