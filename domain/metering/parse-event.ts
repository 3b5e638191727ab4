import { parseRfc3339 } from '../calendar/rfc3339.ts';
import { MICROS_PER_MILLI, type Instant } from '../instant.ts';
import { DATA_BYTES_MAX, MESSAGE_BYTES_MAX, NAME_BYTES_MAX } from '../limits.ts';
import { canonicalize } from './canonical-json.ts';
import type { Refusal } from './dead-letter.ts';
import { emptyEnvelope, invalid, type Envelope, type TextAttribute } from './envelope.ts';
import type { EventContent, UsageEvent } from './event.ts';
import { digestOfSaid, identityOf } from './identity.ts';
import { judgeAge } from './lateness.ts';
import { jsonRefusal, readStructured } from './structured-envelope.ts';

/** A message as a topic delivers it, reduced to what an event is made of. */
export interface RawMessage {
  readonly data: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
  readonly publishTime: Instant;
}

/** An event, or why there is none. What could be read of a refused one helps to find it again. */
export type ParsedEvent =
  | { readonly event: UsageEvent; readonly refusal?: never }
  | { readonly event?: never; readonly refusal: Refusal; readonly known: KnownAttributes };

/** As `ParsedEvent`, of an event that gets no name. */
export type JudgedMessage =
  | { readonly event: EventContent; readonly refusal?: never }
  | { readonly event?: never; readonly refusal: Refusal; readonly known: KnownAttributes };

export interface KnownAttributes {
  readonly id: string | null;
  readonly source: string | null;
  readonly type: string | null;
  readonly subject: string | null;
}

const JSON_CONTENT_TYPE = /^application\/(?:[a-z0-9.!#$&^_-]+\+)?json\s*(?:;|$)/i;
/** Not the batch: a message is one event. */
const STRUCTURED_CONTENT_TYPE = /^application\/cloudevents(?:\+json)?\s*(?:;|$)/i;

/**
 * Reads a CloudEvent 1.0 in structured or binary mode. `namespace` comes from the feed, never from the message. How old it may be is the rule of
 * every topic; an import has another.
 */
export function parseEvent(
  namespace: string,
  message: RawMessage,
  judge: typeof judgeAge = judgeAge,
): ParsedEvent {
  const envelope = emptyEnvelope();
  const refusal = readEnvelope(message, envelope) ?? judgeEnvelope(envelope);
  if (refusal) return refused(refusal, envelope);
  const time = timeOf(envelope, message, judge);
  return typeof time === 'number' ? finish(namespace, message, envelope, time) : refused(time, envelope);
}

/** Judges a message exactly as `parseEvent` does, without the hashes that name an event: they are a third of the work. */
export function judgeMessage(message: RawMessage): JudgedMessage {
  const envelope = emptyEnvelope();
  const refusal = readEnvelope(message, envelope);
  return refusal ? refused(refusal, envelope) : judgeRead(envelope, message);
}

/** `judgeMessage` of a message in structured mode whose envelope has been read. */
export function judgeRead(
  envelope: Envelope,
  message: Pick<RawMessage, 'attributes' | 'publishTime'>,
): JudgedMessage {
  const refusal = judgeEnvelope(envelope);
  if (refusal) return refused(refusal, envelope);
  const time = timeOf(envelope, message, judgeAge);
  if (typeof time !== 'number') return refused(time, envelope);
  const { id, source, type, subject, data } = envelope as JudgedEnvelope;
  return { event: { id, source, type, subject, time, data } };
}

const refused = (refusal: Refusal, { id, source, type, subject }: Envelope) => ({
  refusal,
  known: { id, source, type, subject },
});

/** `judgeEnvelope` has refused every null. */
type JudgedEnvelope = Envelope & Record<keyof KnownAttributes, string>;

/** When the event happened, or why its time is refused. */
function timeOf(
  { time }: Envelope,
  { attributes, publishTime }: Pick<RawMessage, 'attributes' | 'publishTime'>,
  judge: typeof judgeAge,
): Instant | Refusal {
  if (time === null) {
    const stamped = timestampIn(attributes);
    return stamped === undefined ? publishTime : (judge(stamped, publishTime) ?? stamped);
  }
  const parsed = parseRfc3339(time);
  if (!parsed) return invalid('time', 'is not an RFC 3339 time with an offset');
  // A time may have any number of decimals, all of which are digested and kept.
  if (time.length > NAME_BYTES_MAX) return tooLong('time');
  return judge(parsed.at, publishTime) ?? parsed.at;
}

/** Fifteen digits of milliseconds go beyond the year 33000. */
const EPOCH_MILLIS = /^\d{1,15}$/;

/**
 * The attribute by which publishers of Pub/Sub date a message, as Beam reads it: RFC 3339, or milliseconds since the epoch. Like the
 * publish time, for which it stands, it is no part of what the event says. What is neither is an attribute of somebody else.
 */
function timestampIn({ timestamp }: RawMessage['attributes']): Instant | undefined {
  if (timestamp === undefined) return undefined;
  return EPOCH_MILLIS.test(timestamp) ? Number(timestamp) * MICROS_PER_MILLI : parseRfc3339(timestamp)?.at;
}

function finish(namespace: string, message: RawMessage, envelope: Envelope, time: Instant): ParsedEvent {
  const { id, source, type, subject, time: sentTime, data } = envelope as JudgedEnvelope;
  const identity = identityOf(namespace, source, id);
  const digest = digestOfSaid(identity, { type, subject, sentTime, data }, envelope.plain);
  const attributes = envelope.others ? othersText(envelope.others) : null;
  const { publishTime } = message;
  return {
    event: {
      namespace,
      identity,
      digest,
      id,
      source,
      type,
      subject,
      sentTime,
      time,
      data,
      attributes,
      publishTime,
    },
  };
}

/** Of one name the last counts, and an attribute that is null is not set. */
function othersText(others: [string, string][]): string | null {
  const set = [...new Map(others)].filter(([, value]) => value !== 'null');
  if (set.length === 0) return null;
  set.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${set.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

function readEnvelope(message: RawMessage, envelope: Envelope): Refusal | undefined {
  const binary = message.attributes['ce-specversion'] !== undefined && !isStructured(message.attributes);
  // First of all, so that its dead letter can be found whatever is wrong with the body.
  if (binary) readBinaryAttributes(message.attributes, envelope);
  // A body of another type is no JSON, but that is not what is wrong with it.
  const ofAnotherType = binary ? judgeContentType(envelope.datacontenttype) : undefined;
  if (ofAnotherType) return ofAnotherType;
  if (message.data.length > MESSAGE_BYTES_MAX) {
    return { reason: 'too_large', detail: `the message has more than ${MESSAGE_BYTES_MAX} bytes` };
  }
  const text = decode(message.data);
  if (text === undefined) return { reason: 'malformed_json', detail: 'the bytes are not UTF-8' };
  return binary ? readBinaryBody(text, envelope) : readStructured(text, envelope);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(data: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(data);
  } catch {
    return undefined;
  }
}

/** A structured event may have its attributes on the message as well; then the content type tells. */
const isStructured = (attributes: RawMessage['attributes']): boolean =>
  Object.entries(attributes).some(
    ([key, value]) => key.toLowerCase() === 'content-type' && STRUCTURED_CONTENT_TYPE.test(value),
  );

/** Binary mode: the attributes travel as `ce-*`, the message body is the data. */
function readBinaryAttributes(attributes: RawMessage['attributes'], envelope: Envelope): void {
  for (const [key, value] of Object.entries(attributes)) {
    const name = key.toLowerCase();
    if (name === 'content-type') envelope.datacontenttype = value;
    if (!name.startsWith('ce-')) continue;
    const attribute = name.slice(3);
    if (isTextAttribute(attribute)) envelope[attribute] = value;
    else (envelope.others ??= []).push([attribute, JSON.stringify(value)]);
  }
}

function readBinaryBody(body: string, envelope: Envelope): Refusal | undefined {
  if (body === '') return undefined;
  const data = canonicalize(body);
  if ('fault' in data) return jsonRefusal(data.fault);
  envelope.data = data.canonical;
  return undefined;
}

const TEXT_ATTRIBUTES: ReadonlySet<string> = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
]);
const isTextAttribute = (name: string): name is Exclude<TextAttribute, 'datacontenttype'> =>
  TEXT_ATTRIBUTES.has(name);

const tooLong = (name: string): Refusal => ({
  reason: 'too_large',
  detail: `${name} has more than ${NAME_BYTES_MAX} bytes`,
});

function judgeEnvelope(envelope: Envelope): Refusal | undefined {
  if (envelope.specversion === null)
    return { reason: 'not_an_event', detail: 'specversion is missing: send CloudEvents 1.0' };
  if (envelope.specversion !== '1.0') return invalid('specversion', 'must be "1.0"');
  return (
    judgeContentType(envelope.datacontenttype) ??
    judgeName('id', envelope.id, envelope.plain) ??
    judgeName('source', envelope.source, envelope.plain) ??
    judgeName('type', envelope.type, envelope.plain) ??
    judgeName('subject', envelope.subject, envelope.plain) ??
    judgeData(envelope.data)
  );
}

const judgeContentType = (type: string | null): Refusal | undefined =>
  type === null || JSON_CONTENT_TYPE.test(type)
    ? undefined
    : invalid('datacontenttype', 'must be application/json');

/** Control characters (C0, DEL, C1) and lone surrogates. */
const FORBIDDEN_IN_NAMES = /[\u0000-\u001f\u007f-\u009f]/; // eslint-disable-line no-control-regex -- they are what is refused
const ASCII_ONLY = /^[\u0000-\u007f]*$/; // eslint-disable-line no-control-regex -- ASCII is a range of codes

function judgeName(name: keyof KnownAttributes, value: string | null, plain: boolean): Refusal | undefined {
  if (value === null) return { reason: 'attribute_missing', detail: `${name} is required` };
  if (value === '') return invalid(name, 'must not be empty');
  if ((plain ? value.length : utf8Bytes(value, NAME_BYTES_MAX)) > NAME_BYTES_MAX) {
    return tooLong(name);
  }
  if (plain) return undefined;
  if (FORBIDDEN_IN_NAMES.test(value) || !value.isWellFormed())
    return invalid(name, 'holds a control character or half a surrogate pair');
  return undefined;
}

function judgeData(data: string): Refusal | undefined {
  if (utf8Bytes(data, DATA_BYTES_MAX) <= DATA_BYTES_MAX) return undefined;
  return { reason: 'too_large', detail: `data has more than ${DATA_BYTES_MAX} bytes` };
}

/** Bytes of UTF-8, counted only where the length could exceed `limit`: a UTF-16 unit takes at most three. */
function utf8Bytes(text: string, limit: number): number {
  if (text.length * 3 <= limit || text.length > limit || ASCII_ONLY.test(text)) return text.length;
  return Buffer.byteLength(text, 'utf8');
}
