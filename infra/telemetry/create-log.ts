import { context, trace } from '@opentelemetry/api';
import { logs, SeverityNumber } from '@opentelemetry/api-logs';
import { pino, type Logger } from 'pino';
import { isTracing } from './spans.ts';

/** Cloud Logging reads the severity by this name. */
const SEVERITIES: Readonly<Record<string, string>> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};
const SEVERITY_NUMBERS: Readonly<Record<string, SeverityNumber>> = {
  DEBUG: SeverityNumber.DEBUG,
  INFO: SeverityNumber.INFO,
  WARNING: SeverityNumber.WARN,
  ERROR: SeverityNumber.ERROR,
  CRITICAL: SeverityNumber.FATAL,
};

/**
 * Structured lines on standard error, so that standard output stays the program's own. Inside a span a line names it; where telemetry is
 * sent the line goes by OTLP as well. Call it after `startTelemetry`.
 */
export function createLog(level: string): Logger {
  const lines = pino.destination({ dest: 2, sync: true });
  return pino(
    {
      level,
      base: null,
      serializers: { err: pino.stdSerializers.errWithCause },
      mixin: spanOfLine,
      formatters: { level: (label, number) => ({ level: number, severity: SEVERITIES[label] ?? 'DEFAULT' }) },
    },
    isTracing()
      ? pino.multistream([
          { level: 'trace', stream: lines },
          { level: 'trace', stream: sendLine },
        ])
      : lines,
  );
}

function spanOfLine(): object {
  if (!isTracing()) return {};
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}

const sendLine = {
  write: (line: string): void => {
    const { msg, time, severity, level: _, trace_id: __, span_id: ___, ...fields } = JSON.parse(line) as Line;
    logs.getLogger('millrace').emit({
      timestamp: time,
      severityText: severity,
      severityNumber: SEVERITY_NUMBERS[severity] ?? SeverityNumber.UNSPECIFIED,
      body: msg,
      attributes: textFields(fields),
      context: context.active(),
    });
  },
};

interface Line {
  readonly msg: string;
  readonly time: number;
  readonly severity: string;
  readonly level: number;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly [field: string]: unknown;
}

/** Errors and lists stay readable as JSON text. */
const textFields = (fields: Readonly<Record<string, unknown>>): Record<string, string | number | boolean> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      if (value === undefined || value === null) return [];
      const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
      return [[name, isPlain ? value : JSON.stringify(value)]];
    }),
  );
