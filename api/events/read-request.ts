import { HTTP_EVENTS_MAX } from '#domain/limits.ts';
import type { Envelope } from '#domain/metering/envelope.ts';
import type { Refusal } from '#domain/metering/dead-letter.ts';
import type { Attributes } from '#infra/topic/topic.ts';
import type { RawDocument } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import type { RequestContext } from '../http/route.ts';
import { cutBatch, startsWithArray, type BatchFault } from './batch-elements.ts';
import { isBinaryMode, readBinaryAttributes } from './binary-mode.ts';

/** An event of a request, before it is judged: exactly the bytes that were sent. */
export interface SentEvent {
  readonly data: Uint8Array;
  /** In binary mode what the headers said. */
  readonly attributes: Attributes;
  /** Read already, of an event in structured mode. */
  readonly envelope?: Envelope | undefined;
  /** Known before the event is parsed: its headers cannot be read. */
  readonly refusal?: Refusal | undefined;
}

export const EVENT_TYPE = 'application/cloudevents+json';
export const BATCH_TYPE = 'application/cloudevents-batch+json';
export const JSON_TYPE = 'application/json';

/** What events in structured mode share: one object. */
export const NO_ATTRIBUTES: Attributes = {};

/**
 * The events of a request, by its content mode: a media type of CloudEvents says structured or batch, whatever else is in the headers;
 * then the header `ce-specversion` says binary; and plain JSON is an array of events or one. Throws `Problem`.
 */
export function readSentEvents(
  headers: RequestContext['headers'],
  { mediaType, bytes }: RawDocument,
): SentEvent[] {
  if (mediaType === BATCH_TYPE) return readBatch(bytes);
  if (mediaType === EVENT_TYPE) return [structured(bytes)];
  if (isBinaryMode(headers)) return [{ data: bytes, ...readBinaryAttributes(headers) }];
  if (mediaType === JSON_TYPE) return startsWithArray(bytes) ? readBatch(bytes) : [structured(bytes)];
  throw new Problem(
    'unsupported_media_type',
    `events come as ${EVENT_TYPE}, ${BATCH_TYPE} or ${JSON_TYPE}, or with their attributes in headers`,
  );
}

const structured = (data: Uint8Array): SentEvent => ({ data, attributes: NO_ATTRIBUTES });

function readBatch(bytes: Uint8Array): SentEvent[] {
  const { elements, fault } = cutBatch(bytes, HTTP_EVENTS_MAX);
  if (fault !== undefined) throw batchProblem(fault);
  return elements.map(({ data, envelope }) => ({ data, attributes: NO_ATTRIBUTES, envelope }));
}

function batchProblem(fault: BatchFault): Problem {
  switch (fault) {
    case 'too_many':
      return new Problem('too_large', `the request has more than ${HTTP_EVENTS_MAX} events`);
    case 'not_an_array':
      return new Problem('invalid_request', 'a batch is a JSON array of events', {
        violations: [{ pointer: '', code: 'invalid_type', message: 'must be an array of events' }],
      });
    case 'cut':
      return new Problem(
        'malformed_json',
        'the body is no JSON array: its brackets, strings or commas do not match',
      );
  }
}
