import type { protos } from '@google-cloud/pubsub';
import type { LEASE_CALL } from './connection.ts';
import type { ServerTime } from './server-time.ts';

export type ServerMessage = protos.google.pubsub.v1.IReceivedMessage;
type CallOptions = typeof LEASE_CALL;

/** What a subscriber needs of the generated client. */
export interface SubscriberCalls {
  streamingPull(): PullDuplex;
  acknowledge(request: { subscription: string; ackIds: string[] }, options: CallOptions): Promise<unknown>;
  modifyAckDeadline(
    request: { subscription: string; ackIds: string[]; ackDeadlineSeconds: number },
    options: CallOptions,
  ): Promise<unknown>;
  seek(request: { subscription: string; time: SeekTime }, options: CallOptions): Promise<unknown>;
}

type SeekTime = ServerTime & { readonly seconds: number };

/** A stream both ways, as gRPC has it. */
export interface PullDuplex {
  on(event: 'data', listener: (response: protos.google.pubsub.v1.IStreamingPullResponse) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  write(request: protos.google.pubsub.v1.IStreamingPullRequest): unknown;
  end(): unknown;
  cancel(): void;
}
