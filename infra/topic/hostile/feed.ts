import { MICROS_PER_SECOND } from '#domain/instant.ts';
import type { Instant } from '#domain/instant.ts';
import type { AckId, Attributes, Message, MessageId, OutgoingMessage, Unacknowledged } from '../topic.ts';

interface Published {
  readonly id: MessageId;
  readonly data: Uint8Array;
  readonly attributes: Attributes;
  readonly publishTime: Instant;
}

/** What all subscriptions of a topic see. */
export interface Log {
  readonly messages: Published[];
  /** The last time given out: what is published later gets a later one. */
  lastTime: Instant;
}

/** A message and what a subscription knows of it. */
export interface StoredMessage {
  readonly published: Published;
  attempt: number;
  /** The lease that counts: the one of the last delivery. */
  leasedBy: AckId | undefined;
  leasedUntil: Instant;
  acknowledged: boolean;
}

interface Delivery {
  readonly message: StoredMessage;
  /** How many seeks there had been: of a delivery before a seek nothing counts any more. */
  readonly seeks: number;
}

/** A topic seen through one subscription. Everything here is exact; what goes wrong is decided elsewhere. */
export interface Feed {
  readonly log: Log;
  readonly messages: StoredMessage[];
  readonly deliveries: Map<AckId, Delivery>;
  seeks: number;
}

export const createLog = (): Log => ({ messages: [], lastTime: Number.MIN_SAFE_INTEGER });

export const createFeed = (log: Log): Feed => ({ log, messages: [], deliveries: new Map(), seeks: 0 });

const neverLeased = {
  attempt: 0,
  leasedBy: undefined,
  leasedUntil: Number.MIN_SAFE_INTEGER,
  acknowledged: false,
};

/** Messages published together share a publish time, as they may on any topic. */
export function publish(log: Log, outgoing: readonly OutgoingMessage[], now: Instant): MessageId[] {
  log.lastTime = Math.max(log.lastTime + 1, now);
  return outgoing.map(({ data, attributes = {} }) => {
    const id = `m${log.messages.length + 1}`;
    const publishTime = log.lastTime;
    log.messages.push({ id, data: new Uint8Array(data), attributes: { ...attributes }, publishTime });
    return id;
  });
}

/** All messages, those included that were published since somebody last looked. */
export function messagesOf({ log, messages }: Feed): readonly StoredMessage[] {
  for (const published of log.messages.slice(messages.length)) messages.push({ published, ...neverLeased });
  return messages;
}

export const isDeliverable = ({ acknowledged, leasedUntil }: StoredMessage, now: Instant): boolean =>
  !acknowledged && leasedUntil <= now;

/** Delivers a message under a new lease; the receiver gets a copy. */
export function lease(feed: Feed, message: StoredMessage, until: Instant): Message {
  const ackId = `a${feed.deliveries.size + 1}`;
  feed.deliveries.set(ackId, { message, seeks: feed.seeks });
  message.attempt++;
  message.leasedBy = ackId;
  message.leasedUntil = until;
  const { attempt, published } = message;
  const copy = { data: new Uint8Array(published.data), attributes: { ...published.attributes } };
  return { ...published, ...copy, attempt, ackId };
}

function deliveryOf(feed: Feed, id: AckId): Delivery {
  const delivery = feed.deliveries.get(id);
  if (delivery === undefined)
    throw new RangeError(`not an acknowledgement id of this topic: ${id.slice(0, 64)}`);
  return delivery;
}

/** The messages of these deliveries that nobody else has been given since, and whose deadline has not passed. */
export function stillLeased(feed: Feed, ids: readonly AckId[], now: Instant): StoredMessage[] {
  return ids
    .filter((id) => deliveryOf(feed, id).message.leasedBy === id)
    .map((id) => deliveryOf(feed, id).message)
    .filter((message) => message.leasedUntil > now);
}

/** Acknowledges what was delivered since the last seek; `countsLate` decides about a delivery whose lease is over. */
export function acknowledge(
  feed: Feed,
  ids: readonly AckId[],
  now: Instant,
  countsLate: () => boolean,
): void {
  for (const id of ids) {
    const { message, seeks } = deliveryOf(feed, id);
    if (seeks < feed.seeks) continue;
    if ((message.leasedBy === id && message.leasedUntil > now) || countsLate()) message.acknowledged = true;
  }
}

export function release(feed: Feed, ids: readonly AckId[], now: Instant): void {
  for (const message of stillLeased(feed, ids, now)) message.leasedUntil = now;
}

export function extend(feed: Feed, ids: readonly AckId[], now: Instant, seconds: number): void {
  for (const message of stillLeased(feed, ids, now))
    message.leasedUntil = now + Math.ceil(seconds * MICROS_PER_SECOND);
}

export function seek(feed: Feed, to: Instant): void {
  feed.seeks++;
  for (const message of messagesOf(feed)) {
    if (message.published.publishTime >= to) Object.assign(message, neverLeased);
  }
}

export function oldestUnacknowledged(feed: Feed, now: Instant): Unacknowledged {
  const { log } = feed;
  log.lastTime = Math.max(log.lastTime, now);
  // Publish times never fall, so the first one found is the least.
  const oldest = messagesOf(feed).find(({ acknowledged }) => !acknowledged)?.published.publishTime;
  return { at: log.lastTime, ...(oldest === undefined ? {} : { oldest }) };
}
