import { isSpanContextValid, trace, TraceFlags, type Link, type SpanContext } from '@opentelemetry/api';
import type { Attributes, Message } from '#infra/topic/topic.ts';
import { isTracing } from './spans.ts';

/** W3C Trace Context, as publishers everywhere write it on a message. */
const TRACEPARENT = 'traceparent';
const PATTERN = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** A commit of thousands of messages names so many of their publishers. */
export const LINKS_MAX = 32;

const NONE: Attributes = {};

/** What is put on messages so that their commit can be linked to the span that publishes them; nothing where it is not sampled. */
export function traceAttributes(): Attributes {
  if (!isTracing()) return NONE;
  const context = trace.getActiveSpan()?.spanContext();
  if (context === undefined || (context.traceFlags & TraceFlags.SAMPLED) === 0) return NONE;
  return { [TRACEPARENT]: `00-${context.traceId}-${context.spanId}-01` };
}

/**
 * Links to the spans that published the messages, each once, at most `LINKS_MAX`. Whoever publishes writes this attribute: it is believed
 * for linking, and for nothing else.
 */
export function linksOf(messages: Iterable<Message>): Link[] {
  const links = new Map<string, Link>();
  if (!isTracing()) return [];
  for (const { attributes } of messages) {
    const text = attributes[TRACEPARENT];
    if (text === undefined || links.has(text)) continue;
    const context = parseTraceparent(text);
    if (context === undefined || (context.traceFlags & TraceFlags.SAMPLED) === 0) continue;
    links.set(text, { context });
    if (links.size >= LINKS_MAX) break;
  }
  return [...links.values()];
}

/** Undefined where the text is none. */
export function parseTraceparent(text: string): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = '00'] = PATTERN.exec(text) ?? [];
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}
