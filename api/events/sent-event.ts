import type { Refusal } from '#domain/metering/dead-letter.ts';
import type { Envelope } from '#domain/metering/envelope.ts';
import type { Attributes } from '#infra/topic/topic.ts';

/** An event of a request, before it is judged: exactly the bytes that were sent. */
export interface SentEvent {
  readonly data: Uint8Array;
  /** In binary mode what the headers said. */
  readonly attributes: Attributes;
  /** What was read of it on the way, where it is an event in structured mode that is written like those before it. */
  readonly envelope?: Envelope | undefined;
  /** Known before the event is parsed: its headers cannot be read. */
  readonly refusal?: Refusal | undefined;
}

/** What events in structured mode share: one object. */
export const NO_ATTRIBUTES: Attributes = {};
