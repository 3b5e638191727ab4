import { z } from 'zod';
import { readVariables } from '#infra/variables.ts';

/**
 * What of OpenTelemetry's own variables decides here. The exporters read the others (`OTEL_EXPORTER_OTLP_HEADERS`, certificates, time
 * limits) by themselves, as its specification says.
 */
const settingsSchema = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_SDK_DISABLED: z.enum(['true', 'false']).default('false'),
  /** The share of requests whose way is traced, from 0 to 1. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(0.01),
  OTEL_METRIC_EXPORT_INTERVAL: z.coerce.number().int().min(1_000).max(600_000).default(60_000),
  OTEL_RESOURCE_ATTRIBUTES: z.string().max(4_096).default(''),
});

export interface TelemetrySettings {
  /** Where the collector listens, without a path: `/v1/traces` and the like are added. */
  readonly endpoint: string;
  readonly sampledShare: number;
  readonly metricsEveryMs: number;
  readonly resource: Readonly<Record<string, string>>;
}

/** Undefined when no collector is named: then nothing is measured, kept or sent. Throws an error that names each variable that is wrong. */
export function readTelemetrySettings(environment: NodeJS.ProcessEnv): TelemetrySettings | undefined {
  const data = readVariables(settingsSchema, environment);
  if (data.OTEL_EXPORTER_OTLP_ENDPOINT === undefined || data.OTEL_SDK_DISABLED === 'true') return undefined;
  return {
    endpoint: data.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, ''),
    sampledShare: data.OTEL_TRACES_SAMPLER_ARG,
    metricsEveryMs: data.OTEL_METRIC_EXPORT_INTERVAL,
    resource: pairsOf(data.OTEL_RESOURCE_ATTRIBUTES),
  };
}

/** `key=value,key=value`, percent-encoded as in W3C Baggage. What is no pair is passed over, as the specification asks. */
function pairsOf(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) return [];
    try {
      return [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())] as const];
    } catch {
      return [];
    }
  });
  return Object.fromEntries(pairs);
}
