import { hash } from 'node:crypto';
import { MESSAGE_BYTES_MAX } from '#domain/limits.ts';
import { identityOf } from '#domain/metering/identity.ts';
import type { Instant } from '#domain/instant.ts';
import type { RefusedDelivery } from './commit.ts';
import type { deadLetter, Row } from './tables.ts';

/** Of a message over 1 MiB only the beginning is kept, with the hash of the whole. */
const KEPT_BYTES = 64 * 1_024;

/** The record of a refused message: its reason, its original bytes, and what could be read of it. */
export function deadLetterRow(
  { feed, receivedAt }: { feed: string; receivedAt: Instant },
  { delivery, refusal }: RefusedDelivery,
): Row<typeof deadLetter> {
  const { message, namespace } = delivery;
  const { id, source, type, subject } = delivery.event ?? delivery.known;
  const whole = message.data.length <= MESSAGE_BYTES_MAX;
  return {
    feed,
    messageId: message.id,
    namespace,
    reason: refusal.reason,
    detail: refusal.detail,
    state: 'open',
    type: bounded(type),
    source: bounded(source),
    eventId: bounded(id),
    subject: bounded(subject),
    identity: id === null || source === null ? null : identityOf(namespace, source, id),
    publishTime: message.publishTime,
    receivedAt,
    closedAt: null,
    attributes: message.attributes,
    bytes: whole ? message.data : message.data.subarray(0, KEPT_BYTES),
    bytesHash: whole ? null : hash('sha256', message.data, 'hex'),
  };
}

/**
 * What is indexed is cut to what an attribute may have; the bytes keep it all. Halves of surrogate pairs cannot be stored as text, and
 * the cut itself can leave one.
 */
const BOUNDED_LENGTH = 256;
const bounded = (text: string | null): string | null => text?.slice(0, BOUNDED_LENGTH).toWellFormed() ?? null;
