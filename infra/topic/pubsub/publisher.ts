import type { Scheduler } from '#infra/scheduler.ts';
import { TopicLimitExceeded, TopicUnavailable } from '../errors.ts';
import { measurePublish } from '../limits.ts';
import type { MessageId, OutgoingMessage } from '../topic.ts';
import { isRefused, publishFailure } from './failures.ts';
import { PUBLISH_HELD_BYTES_MAX, PUBLISH_LINGER_MS, PUBLISH_REQUESTS_IN_FLIGHT_MAX } from './limits.ts';
import { createPublishQueue, type Piece } from './publish-queue.ts';

/** One request: resolves with an id for each message once the server has them. */
export type SendRequest = (messages: readonly OutgoingMessage[]) => Promise<readonly MessageId[]>;

export interface Publisher {
  publish(messages: readonly OutgoingMessage[]): Promise<MessageId[]>;
  /** Takes no more; resolves when all that was taken is confirmed or rejected. */
  close(): Promise<void>;
}

/** Gathers what is published within some milliseconds into requests, several on their way at once. */
export function createPublisher(send: SendRequest, { sleep }: Pick<Scheduler, 'sleep'>): Publisher {
  const queue = createPublishQueue();
  const done = Promise.withResolvers<void>();
  let heldBytes = 0;
  let inFlight = 0;
  /** What is queued has waited long enough. */
  let isDue = false;
  let isLingering = false;
  let isClosed = false;

  const dispatch = async (pieces: readonly Piece[]): Promise<void> => {
    inFlight++;
    await sendPieces(send, pieces);
    inFlight--;
    pump();
  };
  const linger = async (): Promise<void> => {
    isLingering = true;
    await sleep(PUBLISH_LINGER_MS);
    isLingering = false;
    isDue = true;
    pump();
  };
  const pump = (): void => {
    while (!queue.isEmpty() && inFlight < PUBLISH_REQUESTS_IN_FLIGHT_MAX && (isDue || queue.isFull()))
      void dispatch(queue.takeRequest());
    if (queue.isEmpty()) isDue = isClosed;
    else if (!isDue && !isLingering) void linger();
    if (isClosed && queue.isEmpty() && inFlight === 0) done.resolve();
  };

  return {
    publish: async (messages) => {
      if (isClosed) throw new TopicUnavailable('cannot publish: the topic is closed');
      const bytes = measurePublish(messages);
      messages.forEach(checkNotEmpty);
      if (messages.length === 0) return [];
      if (heldBytes + bytes > PUBLISH_HELD_BYTES_MAX)
        throw new TopicUnavailable('too many messages wait to be published');
      heldBytes += bytes;
      const published = queue.add(messages, bytes).finally(() => (heldBytes -= bytes));
      pump();
      return published;
    },
    close: () => {
      isClosed = true;
      isDue = true;
      pump();
      return done.promise;
    },
  };
}

/** The server takes no message that says nothing at all. */
function checkNotEmpty({ data, attributes }: OutgoingMessage): void {
  if (data.length > 0 || Object.keys(attributes ?? {}).length > 0) return;
  throw new TopicLimitExceeded('a message has data or an attribute at least');
}

/** A request that the server refuses is sent again piece by piece: what is wrong with one call is no other's failure. */
async function sendPieces(send: SendRequest, pieces: readonly Piece[]): Promise<void> {
  try {
    const ids = await send(pieces.flatMap(({ messages }) => messages));
    let at = 0;
    for (const { messages, resolve } of pieces) resolve(ids.slice(at, (at += messages.length)));
  } catch (error) {
    if (isRefused(error) && pieces.length > 1) for (const piece of pieces) await sendPieces(send, [piece]);
    else for (const { reject } of pieces) reject(publishFailure(error));
  }
}
