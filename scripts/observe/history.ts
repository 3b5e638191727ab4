import { buckets, matches, total, type MetricBook } from './metric-book.ts';
import { bucketQuantile } from './quantile.ts';

/** Half an hour at one point every two seconds. */
const POINTS_MAX = 900;

/** What happened between two looks. Rates are a second; what was not counted meanwhile is null. */
export interface Point {
  readonly atMs: number;
  readonly eventsPerSecond: number;
  readonly requestsPerSecond: number;
  readonly freshnessP50: number | null;
  readonly freshnessP99: number | null;
  readonly checkP99: number | null;
  readonly ingestP99: number | null;
}

interface Look {
  readonly atMs: number;
  readonly events: number;
  readonly requests: number;
  readonly freshness: Buckets;
  readonly check: Buckets;
  readonly ingest: Buckets;
}
type Buckets = ReturnType<typeof buckets>;

export interface History {
  /** Looks at the newest metrics, and keeps what has changed since the last look. */
  look(book: MetricBook, atMs: number): void;
  readonly points: readonly Point[];
}

export function createHistory(): History {
  const points: Point[] = [];
  let last: Look | undefined;
  return {
    look: (book, atMs) => {
      const now = lookAt(book, atMs);
      if (last !== undefined) points.push(between(last, now));
      if (points.length > POINTS_MAX) points.shift();
      last = now;
    },
    points,
  };
}

const LATENCY = 'millrace_http_request_duration_seconds';
const CHECK_ROUTES = ['getEntitlement', 'checkEntitlements', 'createReservation'];

function lookAt(book: MetricBook, atMs: number): Look {
  const latency = (route: readonly string[]): Buckets =>
    buckets(book.series(LATENCY).filter(({ labels }) => matches(labels, { route })));
  return {
    atMs,
    events: total(book.series('millrace_usage_accepted_total')),
    requests: total(book.series('millrace_http_requests_total')),
    freshness: buckets(book.series('millrace_usage_commit_delay_seconds')),
    check: latency(CHECK_ROUTES),
    ingest: latency(['postEvents']),
  };
}

function between(last: Look, now: Look): Point {
  const seconds = Math.max(0.001, (now.atMs - last.atMs) / 1_000);
  // A process that started again counts from zero: then nothing is known of this step.
  const rate = (before: number, after: number): number => Math.max(0, after - before) / seconds;
  return {
    atMs: now.atMs,
    eventsPerSecond: rate(last.events, now.events),
    requestsPerSecond: rate(last.requests, now.requests),
    freshnessP50: quantileBetween(0.5, last.freshness, now.freshness),
    freshnessP99: quantileBetween(0.99, last.freshness, now.freshness),
    checkP99: quantileBetween(0.99, last.check, now.check),
    ingestP99: quantileBetween(0.99, last.ingest, now.ingest),
  };
}

function quantileBetween(quantile: number, last: Buckets, now: Buckets): number | null {
  const counts = now.counts.map((count, index) => Math.max(0, count - (last.counts[index] ?? 0)));
  return bucketQuantile(quantile, counts, now.bounds) ?? null;
}
