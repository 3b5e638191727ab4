import { measurePublish } from '../limits.ts';
import type { MessageId, OutgoingMessage } from '../topic.ts';
import { PUBLISH_REQUEST_BYTES_MAX, PUBLISH_REQUEST_MESSAGES_MAX } from './limits.ts';

/** What one request takes of a publish call: all of it, or as much as fits. */
export interface Piece {
  readonly messages: readonly OutgoingMessage[];
  readonly bytes: number;
  readonly resolve: (ids: readonly MessageId[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface PublishQueue {
  /** Resolves as the pieces do, with an id for each message. */
  add(messages: readonly OutgoingMessage[], bytes: number): Promise<MessageId[]>;
  /** There is as much as one request may have. */
  isFull(): boolean;
  isEmpty(): boolean;
  /** Pieces from the front, together no more than a request may have; one at least. */
  takeRequest(): Piece[];
}

export function createPublishQueue(): PublishQueue {
  const pieces: Piece[] = [];
  let messages = 0;
  let bytes = 0;
  const count = (piece: Piece, sign: 1 | -1): void => {
    messages += sign * piece.messages.length;
    bytes += sign * piece.bytes;
  };
  return {
    add: async (published, publishedBytes) => {
      const ids = await Promise.all(
        split(published, publishedBytes).map(
          (part) =>
            new Promise<readonly MessageId[]>((resolve, reject) => {
              const piece = { ...part, resolve, reject };
              pieces.push(piece);
              count(piece, 1);
            }),
        ),
      );
      return ids.flat();
    },
    isFull: () => messages >= PUBLISH_REQUEST_MESSAGES_MAX || bytes >= PUBLISH_REQUEST_BYTES_MAX,
    isEmpty: () => pieces.length === 0,
    takeRequest: () => {
      const taken = pieces.splice(0, Math.max(1, lengthOfRequest(pieces)));
      for (const piece of taken) count(piece, -1);
      return taken;
    },
  };
}

/** How many pieces from the front fit into one request. */
function lengthOfRequest(pieces: readonly Piece[]): number {
  let messages = 0;
  let bytes = 0;
  const tooMany = pieces.findIndex((piece) => {
    messages += piece.messages.length;
    bytes += piece.bytes;
    return messages > PUBLISH_REQUEST_MESSAGES_MAX || bytes > PUBLISH_REQUEST_BYTES_MAX;
  });
  return tooMany === -1 ? pieces.length : tooMany;
}

interface Part {
  readonly messages: OutgoingMessage[];
  bytes: number;
}

function split(messages: readonly OutgoingMessage[], bytes: number): Pick<Piece, 'messages' | 'bytes'>[] {
  if (messages.length <= PUBLISH_REQUEST_MESSAGES_MAX && bytes <= PUBLISH_REQUEST_BYTES_MAX)
    return [{ messages, bytes }];
  const parts: Part[] = [];
  for (const message of messages) {
    const size = measurePublish([message]);
    const last = parts.at(-1);
    if (last === undefined || !hasRoom(last, size)) parts.push({ messages: [message], bytes: size });
    else {
      last.messages.push(message);
      last.bytes += size;
    }
  }
  return parts;
}

const hasRoom = ({ messages, bytes }: Part, size: number): boolean =>
  messages.length < PUBLISH_REQUEST_MESSAGES_MAX && bytes + size <= PUBLISH_REQUEST_BYTES_MAX;
