import { SERVICE_LEVELS } from '#infra/telemetry/service-levels.ts';
import { createHistory, type Point } from './history.ts';
import { reportLevel, type LevelReport } from './level-report.ts';
import { createMetricBook, total } from './metric-book.ts';
import { readLogs, readMetrics, readSpans, type ReceivedLog } from './received.ts';
import { createTraceBook, type ShownTrace } from './trace-book.ts';

const LOG_LINES_MAX = 300;
const LOG_LINES_SHOWN = 60;

/** What the page shows. */
export interface Observed {
  readonly heardAtMs: number | null;
  readonly levels: readonly LevelReport[];
  readonly figures: Readonly<Record<string, number>>;
  readonly points: readonly Point[];
  readonly traces: readonly ShownTrace[];
  readonly logs: readonly ShownLog[];
}

interface ShownLog {
  readonly atMs: number;
  readonly severity: string;
  readonly service: string;
  readonly text: string;
  readonly detail: string;
}

export interface Observer {
  /** Each takes the body of an export and throws where it is none. */
  readonly take: Readonly<Record<'traces' | 'metrics' | 'logs', (bytes: Uint8Array, atMs: number) => void>>;
  look(atMs: number): void;
  observed(): Observed;
}

export function createObserver(): Observer {
  const metrics = createMetricBook();
  const traces = createTraceBook();
  const history = createHistory();
  let lines: ReceivedLog[] = [];
  let heardAtMs: number | null = null;
  const heard = (atMs: number): void => void (heardAtMs = atMs);
  return {
    take: {
      traces: (bytes, atMs) => {
        traces.take(readSpans(bytes));
        heard(atMs);
      },
      metrics: (bytes, atMs) => {
        metrics.take(readMetrics(bytes));
        heard(atMs);
      },
      logs: (bytes, atMs) => {
        lines = [...lines, ...readLogs(bytes)].slice(-LOG_LINES_MAX);
        heard(atMs);
      },
    },
    look: (atMs) => history.look(metrics, atMs),
    observed: () => ({
      heardAtMs,
      levels: SERVICE_LEVELS.map((level) => reportLevel(level, metrics)),
      figures: Object.fromEntries(FIGURES.map((name) => [name, total(metrics.series(name))])),
      points: history.points,
      traces: traces.latest(),
      logs: lines.slice(-LOG_LINES_SHOWN).reverse().map(toShown),
    }),
  };
}

/** Beside the charts, as they stand. */
const FIGURES = [
  'millrace_usage_accepted_total',
  'millrace_usage_duplicate_total',
  'millrace_usage_conflict_total',
  'millrace_usage_unmatched_total',
  'millrace_usage_dead_letter_total',
  'millrace_feed_backlog_messages',
  'millrace_feed_oldest_unacknowledged_seconds',
] as const;

const toShown = ({ timeUnixNano, severityText, service, body, attributes }: ReceivedLog): ShownLog => ({
  atMs: timeUnixNano,
  severity: severityText,
  service,
  text: body?.stringValue ?? '',
  detail: Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join(' '),
});
