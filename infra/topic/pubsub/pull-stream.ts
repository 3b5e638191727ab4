import type { protos } from '@google-cloud/pubsub';
import type { ServerMessage, SubscriberCalls } from './subscriber-calls.ts';

type Request = protos.google.pubsub.v1.IStreamingPullRequest;

/** Why a stream is over: an error of the server or of the way to it, or nothing where it just ended. */
export type StreamEnd = { readonly error?: unknown };

export interface PullStream {
  /** Resolves once the stream is over; never rejects. */
  readonly ended: Promise<StreamEnd>;
  /** Keeps the server from ending a stream on which nothing goes. */
  ping(): void;
  /** Asks the server to end it: what is on its way still comes, and nothing else does. */
  end(): void;
  /** Ends it at once: what is on its way is not seen any more, and comes again at its deadline. */
  cancel(): void;
}

/** One streaming pull, until it breaks. No error of it ever goes unhandled, not even one that comes after its end. */
export function openPullStream(
  subscriber: Pick<SubscriberCalls, 'streamingPull'>,
  request: Request,
  onMessages: (messages: readonly ServerMessage[]) => void,
): PullStream {
  const stream = subscriber.streamingPull();
  const { promise: ended, resolve } = Promise.withResolvers<StreamEnd>();
  let isOver = false;
  let isEnding = false;
  const finish = (end: StreamEnd): void => {
    if (isOver) return;
    isOver = true;
    stream.cancel();
    resolve(end);
  };
  stream.on('data', ({ receivedMessages }) => {
    if (!isOver && receivedMessages && receivedMessages.length > 0) onMessages(receivedMessages);
  });
  stream.on('error', (error) => finish({ error }));
  stream.on('end', () => finish({}));
  stream.on('close', () => finish({}));
  stream.write(request);
  return {
    ended,
    ping: () => {
      if (!isOver && !isEnding) stream.write({});
    },
    end: () => {
      if (!isOver && !isEnding) stream.end();
      isEnding = true;
    },
    cancel: () => finish({}),
  };
}
