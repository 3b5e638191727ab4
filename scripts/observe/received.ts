import { z } from 'zod';
import { decodeOtlp } from './otlp-messages.ts';

const keyValue = z.object({
  key: z.string(),
  value: z
    .object({
      stringValue: z.string().optional(),
      boolValue: z.boolean().optional(),
      intValue: z.string().optional(),
      doubleValue: z.number().optional(),
    })
    .nullish(),
});
const attributes = z
  .array(keyValue)
  .transform((pairs) =>
    Object.fromEntries(
      pairs.map(({ key, value }) => [
        key,
        String(value?.stringValue ?? value?.boolValue ?? value?.intValue ?? value?.doubleValue ?? ''),
      ]),
    ),
  );
const resource = z.object({ attributes }).nullish();
const hex = z.string().transform((base64) => Buffer.from(base64, 'base64').toString('hex'));
/** Milliseconds since the epoch, with a fraction: exact enough to draw. */
const unixNano = z.string().transform((nanos) => Number(BigInt(nanos) / 1_000n) / 1_000);
const count = z.string().transform(Number);

const span = z.object({
  traceId: hex,
  spanId: hex,
  parentSpanId: hex,
  name: z.string(),
  startTimeUnixNano: unixNano,
  endTimeUnixNano: unixNano,
  attributes,
  links: z.array(z.object({ traceId: hex, spanId: hex })),
  status: z.object({ code: z.number() }).nullish(),
});
const point = z.object({ attributes, asDouble: z.number() });
const histogramPoint = z.object({
  attributes,
  count,
  bucketCounts: z.array(count),
  explicitBounds: z.array(z.number()),
});
const metric = z.object({
  name: z.string(),
  gauge: z.object({ dataPoints: z.array(point) }).nullish(),
  sum: z.object({ dataPoints: z.array(point) }).nullish(),
  histogram: z.object({ dataPoints: z.array(histogramPoint) }).nullish(),
});
const logRecord = z.object({
  timeUnixNano: unixNano,
  severityText: z.string(),
  body: keyValue.shape.value,
  attributes,
  traceId: hex,
});

const traces = z.object({
  resourceSpans: z.array(z.object({ resource, scopeSpans: z.array(z.object({ spans: z.array(span) })) })),
});
const metrics = z.object({
  resourceMetrics: z.array(
    z.object({ resource, scopeMetrics: z.array(z.object({ metrics: z.array(metric) })) }),
  ),
});
const logs = z.object({
  resourceLogs: z.array(
    z.object({ resource, scopeLogs: z.array(z.object({ logRecords: z.array(logRecord) })) }),
  ),
});

type OfProcess<Thing> = Thing & { readonly service: string; readonly instance: string };
export type ReceivedSpan = OfProcess<z.infer<typeof span>>;
export type ReceivedMetric = OfProcess<z.infer<typeof metric>>;
export type ReceivedLog = OfProcess<z.infer<typeof logRecord>>;

const processOf = (from: z.infer<typeof resource>) => ({
  service: from?.attributes['service.name'] ?? 'unknown',
  instance: from?.attributes['service.instance.id'] ?? 'unknown',
});

/** Each throws where the bytes are no such message. */
export const readSpans = (bytes: Uint8Array): ReceivedSpan[] =>
  traces
    .parse(decodeOtlp('Traces', bytes))
    .resourceSpans.flatMap(({ resource: from, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map((each) => ({ ...each, ...processOf(from) }))),
    );

export const readMetrics = (bytes: Uint8Array): ReceivedMetric[] =>
  metrics
    .parse(decodeOtlp('Metrics', bytes))
    .resourceMetrics.flatMap(({ resource: from, scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics: each }) => each.map((one) => ({ ...one, ...processOf(from) }))),
    );

export const readLogs = (bytes: Uint8Array): ReceivedLog[] =>
  logs
    .parse(decodeOtlp('Logs', bytes))
    .resourceLogs.flatMap(({ resource: from, scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords.map((each) => ({ ...each, ...processOf(from) }))),
    );
