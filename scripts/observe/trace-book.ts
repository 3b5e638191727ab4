import type { ReceivedSpan } from './received.ts';

const SPANS_MAX = 5_000;
const TRACES_SHOWN_MAX = 12;
/** What was received may be anything, even spans that are below themselves. */
const DEPTH_MAX = 12;
const SPANS_OF_TRACE_MAX = 60;

/** One way of some events: the request that published them, and the commits that are linked to it. */
export interface ShownTrace {
  readonly traceId: string;
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly spans: readonly ShownSpan[];
}

export interface ShownSpan {
  readonly name: string;
  readonly service: string;
  readonly depth: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly isFault: boolean;
}

export interface TraceBook {
  take(spans: readonly ReceivedSpan[]): void;
  /** The newest of those that have more than one step, or a fault. */
  latest(): readonly ShownTrace[];
}

export function createTraceBook(): TraceBook {
  let spans: ReceivedSpan[] = [];
  return {
    take: (more) => {
      spans = [...spans, ...more].slice(-SPANS_MAX);
    },
    latest: () => assemble(spans),
  };
}

function assemble(spans: readonly ReceivedSpan[]): ShownTrace[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentSpanId }) => parentSpanId);
  const linked = new Map<string, ReceivedSpan[]>();
  for (const span of spans)
    for (const { spanId } of span.links) linked.set(spanId, [...(linked.get(spanId) ?? []), span]);
  // A commit that is linked to a publisher is shown below it, not again by itself.
  const isRoot = (span: ReceivedSpan): boolean =>
    !known.has(span.parentSpanId) && !span.links.some(({ spanId }) => known.has(spanId));
  const below = (span: ReceivedSpan, depth: number): ShownSpan[] => [
    shown(span, depth),
    ...(depth < DEPTH_MAX ? inOrder(nextOf(span)).flatMap((child) => below(child, depth + 1)) : []),
  ];
  const nextOf = ({ spanId }: ReceivedSpan): ReceivedSpan[] =>
    [...(children.get(spanId) ?? []), ...(linked.get(spanId) ?? [])].slice(0, SPANS_OF_TRACE_MAX);
  const roots = inOrder(spans.filter(isRoot)).reverse();
  const traces = roots.map((root) => toTrace(root, below(root, 0).slice(0, SPANS_OF_TRACE_MAX)));
  // A request that did no more than answer tells its latency, which the charts show.
  return traces
    .filter((trace) => trace.spans.length > 1 || trace.spans[0]?.isFault)
    .slice(0, TRACES_SHOWN_MAX);
}

function toTrace(root: ReceivedSpan, spans: readonly ShownSpan[]): ShownTrace {
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const endMs = Math.max(...spans.map((span) => span.startMs + span.durationMs));
  return { traceId: root.traceId, name: root.name, startMs, durationMs: endMs - startMs, spans };
}

const inOrder = (spans: readonly ReceivedSpan[]): ReceivedSpan[] =>
  [...spans].sort((one, two) => one.startTimeUnixNano - two.startTimeUnixNano);

const FAULT = 2;

const shown = (span: ReceivedSpan, depth: number): ShownSpan => ({
  name: span.name,
  service: span.service,
  depth,
  startMs: span.startTimeUnixNano,
  durationMs: span.endTimeUnixNano - span.startTimeUnixNano,
  isFault: span.status?.code === FAULT,
});
