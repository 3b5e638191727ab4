import type { TimeWindow } from '../calendar/window.ts';
import type { SubjectUsage } from './loaded-usage.ts';

/** A stretch of a window in which a subject's usage counts, or does not. */
export interface SpanPart extends TimeWindow {
  readonly counts: boolean;
}

/**
 * A window cut where the spans begin and end, in order and without gaps. Without spans everything counts. Spans are in order and
 * disjoint, of whole minutes. Worked: [0, 10) with the span [2, 5) is [0, 2) that does not count, [2, 5) that does, and [5, 10) that does not.
 */
export function* splitBySpans(
  window: TimeWindow,
  spans: readonly TimeWindow[] | undefined,
): Generator<SpanPart, void> {
  if (spans === undefined) {
    yield { ...window, counts: true };
    return;
  }
  let at = window.from;
  for (const span of spans) {
    const from = Math.max(span.from, at);
    const to = Math.min(span.to, window.to);
    if (from >= to) continue;
    if (at < from) yield { from: at, to: from, counts: false };
    yield { from, to, counts: true };
    at = to;
  }
  if (at < window.to) yield { from: at, to: window.to, counts: false };
}

/** Subjects whose usage counts in the same spans: they are measured together. */
export interface SpanClass {
  readonly spans: readonly TimeWindow[] | undefined;
  readonly usage: readonly SubjectUsage[];
}

/** Mostly one, since mostly everything counts. */
export function classesBySpans(usage: readonly SubjectUsage[]): SpanClass[] {
  const classes = Map.groupBy(usage, ({ spans }) => spans?.map(({ from, to }) => `${from}-${to}`).join());
  return [...classes.values()].map((members) => ({ spans: members[0]?.spans, usage: members }));
}
