import { v1 } from '@google-cloud/pubsub';
import { credentials, status } from '@grpc/grpc-js';
import { unavailable } from './failures.ts';
import { LEASE_TIMEOUT_MS, PUBLISH_TIMEOUT_MS } from './limits.ts';

/** Where the topics are: a project of Google Cloud, or of an emulator. */
export interface PubsubPlace {
  readonly projectId: string;
  /** `host:port` of an emulator; without it Google Cloud, with the credentials of the machine. */
  readonly emulatorHost?: string;
}

export interface PubsubConnection {
  readonly publisher: v1.PublisherClient;
  readonly subscriber: v1.SubscriberClient;
  close(): Promise<void>;
}

/** A connection whose other end is gone is noticed; the emulator takes so many pings for an attack. */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 20_000 };

/** Else a server that was away for long is not looked for again until two minutes after it is back. */
const RECONNECT = { 'grpc.max_reconnect_backoff_ms': 5_000 };

/** The generated clients, without the library's own batching, leases and flow control. Throws `TopicUnavailable` without credentials. */
export async function connect({ projectId, emulatorHost }: PubsubPlace): Promise<PubsubConnection> {
  const options = {
    projectId,
    ...RECONNECT,
    ...(emulatorHost === undefined ? KEEPALIVE : atEmulator(emulatorHost)),
  };
  const publisher = new v1.PublisherClient(options);
  const subscriber = new v1.SubscriberClient(options);
  try {
    await Promise.all([publisher.initialize(), subscriber.initialize()]);
  } catch (error) {
    throw unavailable('connect', error);
  }
  return {
    publisher,
    subscriber,
    close: async () => void (await Promise.all([publisher.close(), subscriber.close()])),
  };
}

function atEmulator(address: string) {
  const { hostname, port } = new URL(`http://${address}`);
  return { servicePath: hostname, port: Number(port), sslCreds: credentials.createInsecure() };
}

export const topicPath = (projectId: string, topic: string): string =>
  `projects/${projectId}/topics/${topic}`;
export const subscriptionPath = (projectId: string, subscription: string): string =>
  `projects/${projectId}/subscriptions/${subscription}`;

const backoff = (totalTimeoutMillis: number) => ({
  initialRetryDelayMillis: 100,
  retryDelayMultiplier: 2,
  maxRetryDelayMillis: 2_000,
  initialRpcTimeoutMillis: totalTimeoutMillis,
  rpcTimeoutMultiplier: 1,
  maxRpcTimeoutMillis: totalTimeoutMillis,
  totalTimeoutMillis,
});

/** A publish may be done twice, since a message that comes twice counts once: so all that can pass is tried again. */
export const PUBLISH_CALL = {
  retry: {
    retryCodes: [
      status.ABORTED,
      status.CANCELLED,
      status.DEADLINE_EXCEEDED,
      status.INTERNAL,
      status.RESOURCE_EXHAUSTED,
      status.UNAVAILABLE,
      status.UNKNOWN,
    ],
    backoffSettings: backoff(PUBLISH_TIMEOUT_MS),
  },
};

export const LEASE_CALL = {
  retry: {
    retryCodes: [status.ABORTED, status.INTERNAL, status.UNAVAILABLE, status.UNKNOWN],
    backoffSettings: backoff(LEASE_TIMEOUT_MS),
  },
};
