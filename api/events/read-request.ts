import { HTTP_EVENTS_MAX } from '#domain/limits.ts';
import type { RawDocument } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import type { RequestContext } from '../http/route.ts';
import { cutBatch, startsWithArray, type BatchFault } from './batch-elements.ts';
import { isBinaryMode, readBinaryAttributes } from './binary-mode.ts';
import { NO_ATTRIBUTES, type SentEvent } from './sent-event.ts';

export const EVENT_TYPE = 'application/cloudevents+json';
export const BATCH_TYPE = 'application/cloudevents-batch+json';
export const JSON_TYPE = 'application/json';

/**
 * The events of a request, by its content mode: a media type of CloudEvents says structured or batch, whatever else is in the headers;
 * then the header `ce-specversion` says binary; and plain JSON is an array of events or one. Throws `Problem`.
 */
export function readSentEvents(
  headers: RequestContext['headers'],
  { mediaType, bytes }: RawDocument,
): readonly SentEvent[] {
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

function readBatch(bytes: Uint8Array): readonly SentEvent[] {
  const { elements, fault } = cutBatch(bytes, HTTP_EVENTS_MAX);
  if (fault !== undefined) throw batchProblem(fault);
  return elements;
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
