import { randomUUID } from 'node:crypto';
import type { Part } from './otlp.ts';
import { readTelemetrySettings } from './settings.ts';
import { tracingHasStarted, tracingHasStopped } from './spans.ts';

/** What is left at the end has so long to go. */
const FLUSH_MS = 3_000;

export interface Telemetry {
  /** Sends what is left, for a bounded time. It never throws: telemetry must not change how a program ends. */
  shutdown(): Promise<void>;
}

export interface TelemetryOptions {
  /** The program, such as `millrace-api`. */
  readonly service: string;
  readonly version: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Starts traces, metrics and logs by OTLP where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector; else it does nothing, and what is called
 * meanwhile costs next to nothing. Call it before anything else is made. Throws only when the environment is wrong.
 */
export async function startTelemetry({
  service,
  version,
  environment,
}: TelemetryOptions): Promise<Telemetry> {
  const settings = readTelemetrySettings(environment);
  if (settings === undefined) return { shutdown: async () => undefined };
  // Loaded only where it is used: it is larger than all the rest of a small program.
  const { startOtlp } = await import('./otlp.ts');
  const parts = startOtlp(settings, {
    'service.name': service,
    'service.version': version,
    'service.instance.id': randomUUID(),
  });
  tracingHasStarted();
  return { shutdown: () => shutDown(parts) };
}

async function shutDown(parts: readonly Part[]): Promise<void> {
  tracingHasStopped();
  const limit = new AbortController();
  const sent = Promise.allSettled(parts.map((part) => part.shutdown()));
  await Promise.race([sent, after(FLUSH_MS, limit.signal)]);
  limit.abort();
}

const after = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
