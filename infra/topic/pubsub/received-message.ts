import type { Instant } from '#domain/instant.ts';
import type { ReceivedMessage } from './inventory.ts';
import type { ServerMessage } from './subscriber-calls.ts';
import { instantOf } from './server-time.ts';

/** What a message takes in memory beyond its bytes, about. */
const MESSAGE_OVERHEAD_BYTES = 200;

/** A message as the port has it. What the server leaves out is what it means by that: nothing. */
export function receivedMessage({ ackId, message, deliveryAttempt }: ServerMessage): ReceivedMessage {
  const data = bytesOf(message?.data);
  const attributes = message?.attributes ?? {};
  const publishTime: Instant = instantOf(message?.publishTime ?? {});
  return {
    id: message?.messageId ?? '',
    data,
    attributes,
    publishTime,
    ackId: ackId ?? '',
    bytes: data.length + attributeBytes(attributes) + MESSAGE_OVERHEAD_BYTES,
    ...(deliveryAttempt ? { deliveryAttempt } : {}),
  };
}

/** The wire brings bytes; only JSON would bring text, which is base64. */
const bytesOf = (data: Uint8Array | string | null | undefined): Uint8Array =>
  typeof data === 'string' ? Buffer.from(data, 'base64') : (data ?? new Uint8Array(0));

function attributeBytes(attributes: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(attributes)) bytes += key.length + value.length;
  return bytes;
}
