import type { Instant } from '#domain/instant.ts';
import { TopicUnavailable } from '../errors.ts';
import { MAX_PUBLISH_BYTES, MAX_PUBLISH_MESSAGES, measurePublish } from '../limits.ts';
import type { MessageId, OutgoingMessage } from '../topic.ts';
import { encodeGroup } from './group-format.ts';
import type { GroupRegister } from './group-register.ts';
import { messageIdPrefix } from './segment-file.ts';
import type { SegmentWriter } from './segment-writer.ts';

/** What callers who do not wait for the disk may pile up in memory. */
const MAX_QUEUED_BYTES = 256 * 1024 * 1024;

interface PublishCall {
  readonly messages: readonly OutgoingMessage[];
  readonly bytes: number;
  readonly resolve: (ids: MessageId[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface Publisher {
  publish(messages: readonly OutgoingMessage[]): Promise<MessageId[]>;
}

export interface PublisherOptions {
  readonly writer: SegmentWriter;
  readonly register: GroupRegister;
  readonly clock: () => Instant;
}

/** Group commit: the calls that arrive while a group is on its way to the disk make up the next group. */
export function createPublisher({ writer, register, clock }: PublisherOptions): Publisher {
  const queue: PublishCall[] = [];
  let queuedBytes = 0;
  let running: Promise<void> | undefined;

  const writeGroup = async (calls: readonly PublishCall[]): Promise<void> => {
    const writtenAt = clock();
    const bytes = encodeGroup(
      calls.map((call) => call.messages),
      writtenAt,
    );
    const place = await writer.append(bytes);
    const count = calls.reduce((sum, call) => sum + call.messages.length, 0);
    try {
      await register.register(writer.producer, { ...place, length: bytes.length, count, writtenAt });
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    resolveCalls(calls, messageIdPrefix(place));
  };

  const run = async (): Promise<void> => {
    // Calls of the same turn of the event loop belong into the first group already.
    await Promise.resolve();
    while (queue.length > 0) {
      const calls = takeGroup(queue);
      for (const call of calls) queuedBytes -= call.bytes;
      await writeGroup(calls).catch((error: unknown) => {
        const unavailable = new TopicUnavailable('the topic could not make the messages durable', {
          cause: error,
        });
        for (const call of calls) call.reject(unavailable);
      });
    }
    running = undefined;
  };

  const publish = async (messages: readonly OutgoingMessage[]): Promise<MessageId[]> => {
    const bytes = measurePublish(messages);
    if (messages.length === 0) return [];
    if (queuedBytes + bytes > MAX_QUEUED_BYTES)
      throw new TopicUnavailable('too many messages wait to be written');
    const { promise, resolve, reject } = Promise.withResolvers<MessageId[]>();
    queue.push({ messages, bytes, resolve, reject });
    queuedBytes += bytes;
    running ??= run();
    return promise;
  };
  return { publish };
}

/** Calls from the front of the queue, together no more than one call may hold. */
function takeGroup(queue: PublishCall[]): PublishCall[] {
  let messages = 0;
  let bytes = 0;
  const tooMany = queue.findIndex((call) => {
    messages += call.messages.length;
    bytes += call.bytes;
    return messages > MAX_PUBLISH_MESSAGES || bytes > MAX_PUBLISH_BYTES;
  });
  return queue.splice(0, tooMany === -1 ? queue.length : tooMany);
}

function resolveCalls(calls: readonly PublishCall[], prefix: string): void {
  let index = 0;
  for (const { messages, resolve } of calls) {
    const ids: MessageId[] = [];
    for (let i = 0; i < messages.length; i++) ids.push(prefix + String(index++));
    resolve(ids);
  }
}
