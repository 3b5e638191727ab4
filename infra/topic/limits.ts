import { TopicLimitExceeded } from './errors.ts';
import type { Attributes, OutgoingMessage } from './topic.ts';

/** The limits of Pub/Sub, so that what one driver takes the other takes too. */
export const MAX_MESSAGE_BYTES = 10_000_000;
export const MAX_ATTRIBUTES = 100;
export const MAX_ATTRIBUTE_KEY_BYTES = 256;
export const MAX_ATTRIBUTE_VALUE_BYTES = 1_024;
export const MAX_ACK_DEADLINE_SECONDS = 600;

/** One call of `publish` is durable as a whole or not at all, so it has to fit into one write. */
export const MAX_PUBLISH_MESSAGES = 50_000;
export const MAX_PUBLISH_BYTES = 16 * 1024 * 1024;

/** Quotes, colon and comma: what an attribute takes on disk beyond its own bytes. */
const ATTRIBUTE_OVERHEAD_BYTES = 6;

/** The bytes a publish call counts for; throws `TopicLimitExceeded` where a limit is passed. */
export function measurePublish(messages: readonly OutgoingMessage[]): number {
  if (messages.length > MAX_PUBLISH_MESSAGES)
    refuse('messages in a publish call', messages.length, MAX_PUBLISH_MESSAGES);
  let total = 0;
  let measured: Attributes | undefined;
  let attributeBytes = 0;
  for (const { data, attributes } of messages) {
    if (data.length > MAX_MESSAGE_BYTES) refuse('bytes in a message', data.length, MAX_MESSAGE_BYTES);
    total += data.length;
    if (attributes === undefined) continue;
    // Messages published together mostly share one attributes object: it is measured once.
    if (attributes !== measured) attributeBytes = measureAttributes(attributes);
    measured = attributes;
    total += attributeBytes;
  }
  if (total > MAX_PUBLISH_BYTES) refuse('bytes in a publish call', total, MAX_PUBLISH_BYTES);
  return total;
}

function measureAttributes(attributes: Attributes): number {
  const entries = Object.entries(attributes);
  if (entries.length > MAX_ATTRIBUTES) refuse('attributes of a message', entries.length, MAX_ATTRIBUTES);
  let total = 0;
  for (const [key, value] of entries) {
    const keyBytes = Buffer.byteLength(key);
    const valueBytes = Buffer.byteLength(value);
    if (keyBytes > MAX_ATTRIBUTE_KEY_BYTES)
      refuse('bytes in an attribute key', keyBytes, MAX_ATTRIBUTE_KEY_BYTES);
    if (valueBytes > MAX_ATTRIBUTE_VALUE_BYTES)
      refuse('bytes in an attribute value', valueBytes, MAX_ATTRIBUTE_VALUE_BYTES);
    total += keyBytes + valueBytes + ATTRIBUTE_OVERHEAD_BYTES;
  }
  return total;
}

function refuse(what: string, given: number, limit: number): never {
  throw new TopicLimitExceeded(`too many ${what}: ${given}, the limit is ${limit}`);
}
