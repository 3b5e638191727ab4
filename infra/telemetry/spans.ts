import {
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes as SpanAttributes,
  type Link,
  type Span,
} from '@opentelemetry/api';

const TRACER = 'millrace';

let isStarted = false;
export const tracingHasStarted = (): void => void (isStarted = true);
export const tracingHasStopped = (): void => void (isStarted = false);
/** Whether traces are taken at all: asked before anything is prepared for one on a hot path. */
export const isTracing = (): boolean => isStarted;

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: SpanAttributes;
  readonly links?: readonly Link[];
}

/**
 * Does work inside a span, which becomes the parent of spans begun in it. Attributes must hold no secret, no subject and no payload. What
 * the work throws marks the span as failed, with the kind of the error only: its message may quote a user's data.
 */
export async function inSpan<Result>(
  name: string,
  { kind = SpanKind.INTERNAL, attributes = {}, links = [] }: SpanOptions,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  return trace
    .getTracer(TRACER)
    .startActiveSpan(name, { kind, attributes, links: [...links] }, async (span) => {
      try {
        return await work(span);
      } catch (error) {
        span.setStatus({
          code: SpanStatusCode.ERROR,
          message: error instanceof Error ? error.name : 'Error',
        });
        throw error;
      } finally {
        span.end();
      }
    });
}

/** The same, or only the work where no traces are taken: for hot paths. */
export const spanned = <Result>(
  name: string,
  options: SpanOptions,
  work: () => Promise<Result>,
): Promise<Result> => (isStarted ? inSpan(name, options, work) : work());
