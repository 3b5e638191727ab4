import { EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import type { Scheduler } from '#infra/scheduler.ts';
import { createSubscriber, type Subscriber, type SubscriberOptions } from '#infra/topic/pubsub/subscriber.ts';
import type { SubscriberCalls } from '#infra/topic/pubsub/subscriber-calls.ts';
import { serverTimeOf } from '#infra/topic/pubsub/server-time.ts';

/** The other end of one streaming pull. */
export interface ServerStream {
  /** What the client asked for when it opened the stream. */
  readonly first: Readonly<Record<string, unknown>>;
  readonly writes: readonly unknown[];
  isOpen(): boolean;
  /** Delivers messages with these ids, published at that time, now where none is given. */
  deliver(ids: readonly string[], publishTime?: number): void;
  fail(code: status): void;
}

/** The server of one subscription, in memory: it does what a test says, and remembers what it was told. */
export interface MemoryServer {
  readonly calls: SubscriberCalls;
  readonly streams: readonly ServerStream[];
  open(): readonly ServerStream[];
  readonly acknowledged: readonly string[];
  readonly released: readonly string[];
  readonly extended: readonly string[];
  /** Every call and every new stream fails with that status, until told otherwise. */
  failWith(code: status | undefined): void;
}

export const SUBSCRIPTION = 'projects/p/subscriptions/s';

const grpcError = (code: status): Error =>
  Object.assign(new Error(`${code} ${status[code]}: as the test wants it`), { code });

export function memoryServer({ now }: Pick<Scheduler, 'now'>): MemoryServer {
  const streams: ServerStream[] = [];
  const acknowledged: string[] = [];
  const released: string[] = [];
  const extended: string[] = [];
  let failure: status | undefined;
  const answer = async (act: () => void): Promise<void> => {
    if (failure !== undefined) throw grpcError(failure);
    act();
  };
  return {
    streams,
    open: () => streams.filter((stream) => stream.isOpen()),
    acknowledged,
    released,
    extended,
    failWith: (code) => {
      failure = code;
    },
    calls: {
      streamingPull: () => {
        const { duplex, stream } = createStream(now);
        streams.push(stream);
        const refused = failure;
        if (refused !== undefined) queueMicrotask(() => stream.fail(refused));
        return duplex;
      },
      acknowledge: ({ ackIds }) => answer(() => acknowledged.push(...ackIds)),
      modifyAckDeadline: ({ ackIds, ackDeadlineSeconds }) =>
        answer(() => (ackDeadlineSeconds === 0 ? released : extended).push(...ackIds)),
      seek: () => answer(() => undefined),
    },
  };
}

function createStream(now: () => number) {
  const events = new EventEmitter();
  const writes: Record<string, unknown>[] = [];
  let isOpen = true;
  const finish = (): void => {
    if (!isOpen) return;
    isOpen = false;
    queueMicrotask(() => events.emit('end'));
  };
  const duplex = {
    on: (event: string, listener: (...values: never[]) => void) =>
      events.on(event, listener as (...values: unknown[]) => void),
    write: (request: object) => void writes.push({ ...request }),
    end: finish,
    // As gRPC has it: a stream that is cut off has an error, whoever cut it.
    cancel: () => queueMicrotask(() => events.emit('error', grpcError(status.CANCELLED))),
  };
  const stream: ServerStream = {
    get first() {
      return writes[0] ?? {};
    },
    get writes() {
      return writes;
    },
    isOpen: () => isOpen,
    deliver: (ids, publishTime = now()) => {
      const receivedMessages = ids.map((id) => ({
        ackId: `ack-${id}`,
        message: { messageId: id, data: Buffer.from(id), publishTime: serverTimeOf(publishTime) },
      }));
      events.emit('data', { receivedMessages });
    },
    fail: (code) => {
      if (!isOpen) return;
      isOpen = false;
      events.emit('error', grpcError(code));
    },
  };
  return { duplex, stream };
}

export const ACK_DEADLINE_SECONDS = 60;

/** A subscriber of the server, and what it warned of. */
export function subscribe(
  server: MemoryServer,
  scheduler: Scheduler,
  options: Partial<SubscriberOptions> = {},
): { readonly subscriber: Subscriber; readonly warnings: string[] } {
  const warnings: string[] = [];
  const subscriber = createSubscriber({
    client: server.calls,
    subscription: SUBSCRIPTION,
    ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
    outstandingMessagesMax: 1_000,
    outstandingBytesMax: 10_000_000,
    redeliveryMs: 60_000,
    scheduler,
    log: { info: () => undefined, warn: (_, message) => void warnings.push(message) },
    ...options,
  });
  return { subscriber, warnings };
}
