import type { DeadLetterReason } from '#domain/metering/dead-letter.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import type { Attributes, Message } from '#infra/topic/topic.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { wireCoder, type WireReader, type WireWriter } from '#pipelines/beam/wire-coder.ts';
import { readTexts, writeTexts } from '#pipelines/beam/wire-text.ts';
import {
  readBytes,
  readHash,
  readInteger,
  writeBytes,
  writeHash,
  writeInteger,
} from '#pipelines/beam/wire-values.ts';

/** How messages and deliveries cross the wire between a runner and its workers. The bytes of a message are views of what they came in. */
export const messageCoder = wireCoder<Message>('message', {
  write: (message, to) => {
    writeTexts(textsOfMessage(message), to);
    writeMessage(message, to);
  },
  read: (from) => readMessage(from, readTexts(from), 0),
});

export const deliveryCoder = wireCoder<Delivery>('delivery', {
  write: writeDelivery,
  read: readDelivery,
});

/** Several in one piece: a runner sees one element, and works for one. */
export const deliveriesCoder = wireCoder<readonly Delivery[]>('deliveries', {
  write: (deliveries, to) => {
    to.varint(deliveries.length);
    for (const delivery of deliveries) writeDelivery(delivery, to);
  },
  read: (from) => {
    const deliveries: Delivery[] = [];
    for (let left = from.varint(); left > 0; left--) deliveries.push(readDelivery(from));
    return deliveries;
  },
});

type Texts = readonly (string | null)[];

const HAS_EVENT = 1;
const HAS_REPLAYS = 2;

const textsOfMessage = ({ id, ackId, attributes }: Message): string[] => {
  const texts = [id, ackId];
  for (const name in attributes) texts.push(name, attributes[name] ?? '');
  return texts;
};

function writeMessage({ publishTime, attempt, data }: Message, to: WireWriter): void {
  writeInteger(publishTime, to);
  to.varint(attempt);
  writeBytes(data, to);
}

/** Its texts are the last of all, since nobody knows how many attributes there are. */
function readMessage(from: WireReader, texts: Texts, at: number): Message {
  const publishTime = readInteger(from);
  const attempt = from.varint();
  const data = readBytes(from);
  const attributes = readAttributes(texts, at + 2);
  return { id: texts[at] ?? '', data, attributes, publishTime, attempt, ackId: texts[at + 1] ?? '' };
}

function readAttributes(texts: Texts, at: number): Attributes {
  const attributes: [string, string][] = [];
  for (let i = at; i + 1 < texts.length; i += 2) attributes.push([texts[i] ?? '', texts[i + 1] ?? '']);
  // Unlike an assignment it makes a property of every name, `__proto__` included.
  return Object.fromEntries(attributes);
}

/**
 * The parsed event crosses whole, beside the message it was read from: a commit may refuse it yet, and then keeps the message. Reading the
 * event again where it is committed would cost more than its bytes do.
 */
function writeDelivery(delivery: Delivery, to: WireWriter): void {
  const { message, namespace, replays, event } = delivery;
  to.byte((event ? HAS_EVENT : 0) | (replays ? HAS_REPLAYS : 0));
  const texts: (string | null)[] = replays ? [namespace, replays.feed, replays.messageId] : [namespace];
  if (event) {
    const { id, source, type, subject, sentTime, data, attributes } = event;
    texts.push(event.namespace === namespace ? null : event.namespace);
    texts.push(id, source, type, subject, sentTime, data, attributes);
  } else {
    const { refusal, known } = delivery;
    texts.push(refusal.reason, refusal.detail, known.id, known.source, known.type, known.subject);
  }
  texts.push(...textsOfMessage(message));
  writeTexts(texts, to);
  if (event) writeEvent(event, to);
  writeMessage(message, to);
}

function writeEvent({ identity, digest, time, publishTime }: UsageEvent, to: WireWriter): void {
  writeHash(identity, to);
  writeHash(digest, to);
  writeInteger(time, to);
  writeInteger(publishTime, to);
}

const EVENT_TEXTS = 8;
const REFUSAL_TEXTS = 6;

function readDelivery(from: WireReader): Delivery {
  const flags = from.byte();
  const texts = readTexts(from);
  const namespace = texts[0] ?? '';
  const at = flags & HAS_REPLAYS ? 3 : 1;
  const replays = { feed: texts[1] ?? '', messageId: texts[2] ?? '' };
  const read =
    flags & HAS_EVENT ? readParsed(from, texts, namespace, at) : readRefused(from, texts, namespace, at);
  return flags & HAS_REPLAYS ? { ...read, replays } : read;
}

function readParsed(from: WireReader, texts: Texts, namespace: string, at: number): Delivery {
  const identity = readHash(from);
  const digest = readHash(from);
  const time = readInteger(from);
  const publishTime = readInteger(from);
  const event: UsageEvent = {
    namespace: texts[at] ?? namespace,
    identity,
    digest,
    id: texts[at + 1] ?? '',
    source: texts[at + 2] ?? '',
    type: texts[at + 3] ?? '',
    subject: texts[at + 4] ?? '',
    sentTime: texts[at + 5] ?? null,
    time,
    data: texts[at + 6] ?? '',
    attributes: texts[at + 7] ?? null,
    publishTime,
  };
  return { message: readMessage(from, texts, at + EVENT_TEXTS), namespace, event };
}

function readRefused(from: WireReader, texts: Texts, namespace: string, at: number): Delivery {
  const [reason, detail, id = null, source = null, type = null, subject = null] = texts.slice(at);
  return {
    message: readMessage(from, texts, at + REFUSAL_TEXTS),
    namespace,
    // The pair of this coder wrote it, so it is one of them.
    refusal: { reason: reason as DeadLetterReason, detail: detail ?? '' },
    known: { id, source, type, subject },
  };
}
