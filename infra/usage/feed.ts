import { formatInstant, parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import type { Attributes } from '#infra/topic/topic.ts';
import { parseDeadLetterId, toDeadLetterId, type DeadLetterName } from './dead-letter-name.ts';

/**
 * How a feed tells the namespace of its messages. Plain data, so that it can be sent to any worker. `fixed`: all of them belong to one
 * namespace, whatever they say. `attribute`: each names its own; only for a topic that nobody but the API may publish to. A message there
 * that names none is refused, and its dead letter lies in the namespace `strays`, whose keys the operator holds.
 */
export type NamespaceRule = (
  | { readonly kind: 'fixed'; readonly namespace: string }
  | { readonly kind: 'attribute'; readonly strays: string }
) & {
  /** The sources whose events the feed takes, each whole or, with `*` at its end, all that begin so; every source where it is absent. */
  readonly sources?: readonly string[];
};

/** Whether one of the allowed sources is this one. */
export const allowsSource = (sources: readonly string[], source: string): boolean =>
  sources.some((allowed) =>
    allowed.endsWith('*') ? source.startsWith(allowed.slice(0, -1)) : source === allowed,
  );

/** Every attribute that is trusted somewhere begins so. */
const RESERVED_PREFIX = 'millrace-';
/** Trusted where the rule is `attribute`, and nowhere else. */
const NAMESPACE_ATTRIBUTE = 'millrace-namespace';
/** Of a dead letter that is published again: which one it is, and when its message was first published. Trusted in the same way. */
const REPLAY_ATTRIBUTE = 'millrace-replay';
const PUBLISHED_ATTRIBUTE = 'millrace-published-at';
/** Of an event that is imported: when it was first published, in the namespace that it comes from. Trusted in the same way. */
const FIRST_PUBLISHED_ATTRIBUTE = 'millrace-first-published-at';

/** What the API publishes an event with. */
export const namespaceAttributes = (namespace: string): Attributes => ({ [NAMESPACE_ATTRIBUTE]: namespace });

/** The attributes of a message that may go where attributes are trusted: what a producer wrote in our name stays behind. */
export const withoutReserved = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !name.startsWith(RESERVED_PREFIX)));

/** What a dead letter is published again with, beside the attributes its message had. */
export const replayAttributes = (
  namespace: string,
  letter: DeadLetterName,
  publishTime: Instant,
): Attributes => ({
  ...namespaceAttributes(namespace),
  [REPLAY_ATTRIBUTE]: toDeadLetterId(letter),
  [PUBLISHED_ATTRIBUTE]: formatInstant(publishTime),
});

/** What an imported event is published with: it is judged, and an event without a time dated, by when it was first published. */
export const importAttributes = (namespace: string, publishTime: Instant): Attributes => ({
  ...namespaceAttributes(namespace),
  [FIRST_PUBLISHED_ATTRIBUTE]: formatInstant(publishTime),
});

/** When the event of an imported message was first published; undefined when the message is none. */
export function firstPublishedIn(attributes: Attributes): Instant | 'malformed' | undefined {
  const published = attributes[FIRST_PUBLISHED_ATTRIBUTE];
  return published === undefined ? undefined : (parseRfc3339(published)?.at ?? 'malformed');
}

export const namespaceIn = (attributes: Attributes): string | undefined => attributes[NAMESPACE_ATTRIBUTE];

/** The dead letter that a message replays, and the publish time its event is judged by. */
export interface Replay {
  readonly letter: DeadLetterName;
  readonly publishTime: Instant;
}

/** Undefined when the message replays nothing. */
export function replayIn(attributes: Attributes): Replay | 'malformed' | undefined {
  const [id, published] = [attributes[REPLAY_ATTRIBUTE], attributes[PUBLISHED_ATTRIBUTE]];
  if (id === undefined && published === undefined) return undefined;
  const letter = id === undefined ? undefined : parseDeadLetterId(id);
  const publishTime = published === undefined ? undefined : parseRfc3339(published)?.at;
  return letter === undefined || publishTime === undefined ? 'malformed' : { letter, publishTime };
}
