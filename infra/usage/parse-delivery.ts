import { isNamespaceName } from '#domain/namespace.ts';
import type { Refusal } from '#domain/metering/dead-letter.ts';
import { parseEvent, type ParsedEvent } from '#domain/metering/parse-event.ts';
import type { Message } from '#infra/topic/topic.ts';
import type { Delivery } from './delivery.ts';
import { allowsSource, firstPublishedIn, namespaceIn, replayIn, type NamespaceRule } from './feed.ts';

/** Reads a message of a feed: the namespace, and which sources it takes, come from the feed's rule, what happened from the message. */
export function parseDelivery(rule: NamespaceRule, message: Message): Delivery {
  const delivery = parseMessage(rule, message);
  return rule.sources === undefined ? delivery : judgeSource(rule.sources, delivery);
}

/** The feed of the API takes every source, so what is replayed there is let in: somebody has looked at it. */
function judgeSource(sources: readonly string[], delivery: Delivery): Delivery {
  if (delivery.event === undefined || allowsSource(sources, delivery.event.source)) return delivery;
  const { event, ...delivered } = delivery;
  const { id, source, type, subject } = event;
  return { ...delivered, refusal: SOURCE_NOT_ALLOWED, known: { id, source, type, subject } };
}

const SOURCE_NOT_ALLOWED: Refusal = {
  reason: 'source_not_allowed',
  detail: 'source is none of those that this feed takes',
};

function parseMessage(rule: NamespaceRule, message: Message): Delivery {
  return rule.kind === 'fixed'
    ? delivered(message, rule.namespace, parseEvent(rule.namespace, message))
    : parseTrusted(rule.strays, message);
}

function parseTrusted(strays: string, message: Message): Delivery {
  const namespace = namespaceIn(message.attributes);
  if (namespace === undefined) return refused(message, strays, NO_NAMESPACE);
  if (!isNamespaceName(namespace)) return refused(message, strays, BAD_NAMESPACE);
  const replay = replayIn(message.attributes);
  if (replay === undefined) return parseFirstDelivery(message, namespace);
  if (replay === 'malformed') return refused(message, namespace, BAD_REPLAY);
  const { letter, publishTime } = replay;
  // As at its first delivery: the time spent as a dead letter makes no event too old.
  const parsed = parseEvent(namespace, { ...message, publishTime });
  return { ...delivered(message, namespace, parsed), replays: letter };
}

/** What is imported is from here on a message of the time it was first published, also where it becomes a dead letter. */
function parseFirstDelivery(message: Message, namespace: string): Delivery {
  const publishTime = firstPublishedIn(message.attributes);
  if (publishTime === undefined) return delivered(message, namespace, parseEvent(namespace, message));
  if (publishTime === 'malformed') return refused(message, namespace, BAD_IMPORT);
  const imported = { ...message, publishTime };
  return delivered(imported, namespace, parseEvent(namespace, imported));
}

/** Written out by kind: on the hot path every delivery has one of two shapes. */
const delivered = (message: Message, namespace: string, parsed: ParsedEvent): Delivery =>
  parsed.event
    ? { message, namespace, event: parsed.event }
    : { message, namespace, refusal: parsed.refusal, known: parsed.known };

const NO_NAMESPACE: Refusal = {
  reason: 'attribute_missing',
  detail: 'millrace-namespace is missing: in this feed it says whose the event is',
};
const BAD_NAMESPACE: Refusal = {
  reason: 'attribute_invalid',
  detail: 'millrace-namespace is not the name of a namespace',
};
const BAD_REPLAY: Refusal = {
  reason: 'attribute_invalid',
  detail: 'millrace-replay and millrace-published-at do not name a dead letter and the time it was published',
};

const BAD_IMPORT: Refusal = {
  reason: 'attribute_invalid',
  detail: 'millrace-first-published-at is not an RFC 3339 time',
};

/** What can be read of the message helps to find it. */
function refused(message: Message, namespace: string, refusal: Refusal): Delivery {
  const parsed = parseEvent(namespace, message);
  const { id, source, type, subject } = parsed.event ?? parsed.known;
  return { message, namespace, refusal, known: { id, source, type, subject } };
}
