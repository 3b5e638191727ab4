import type { v1 } from '@google-cloud/pubsub';
import { status } from '@grpc/grpc-js';
import { connect, subscriptionPath, topicPath, type PubsubPlace } from './connection.ts';
import { hasStatus, unavailable } from './failures.ts';

/** A topic with what hangs on it. Everything that is there already stays as it is. */
export interface ProvisionedTopic {
  readonly topic: string;
  readonly subscriptions?: readonly ProvisionedSubscription[];
  /** A plain subscription that keeps every message for whoever archives it, independently of all else. */
  readonly archiveSubscription?: string;
}

export interface ProvisionedSubscription {
  readonly name: string;
  readonly ackDeadlineSeconds: number;
  /**
   * Where a message is set aside that is not acknowledged after `DELIVERY_ATTEMPTS_MAX` deliveries, and the subscription that keeps it there.
   * Nowhere by default: the server calls such a message acknowledged, so that the watermark passes it.
   */
  readonly quarantine?: { readonly topic: string; readonly subscription: string };
  /** Seconds that a message stays away after it was given back or not acknowledged, doubling; at once where it is absent. */
  readonly retry?: { readonly minimumSeconds: number; readonly maximumSeconds: number };
}

export const RETENTION_SECONDS = 7 * 86_400;
export const RETRY_POLICY = { minimumSeconds: 1, maximumSeconds: 600 } as const;
/**
 * The most that the server allows. With the retry policy that takes 15 hours at least: a message that ends every worker gets out of the
 * way, and a store that is down for a night turns no message away.
 */
export const DELIVERY_ATTEMPTS_MAX = 100;

/** Makes what is missing. For emulators and set-ups without Terraform, which declares the same for a project of Google Cloud. */
export async function provisionPubsub(
  place: PubsubPlace,
  topics: readonly ProvisionedTopic[],
): Promise<void> {
  const connection = await connect(place);
  try {
    for (const topic of topics) await provisionTopic({ ...connection, ...place }, topic);
  } catch (error) {
    throw unavailable('provision topics', error);
  } finally {
    await connection.close();
  }
}

interface Clients {
  readonly projectId: string;
  readonly publisher: v1.PublisherClient;
  readonly subscriber: v1.SubscriberClient;
}

async function provisionTopic(
  clients: Clients,
  { topic, subscriptions = [], archiveSubscription }: ProvisionedTopic,
): Promise<void> {
  await makeTopic(clients, topic);
  for (const subscription of subscriptions) await provisionSubscription(clients, topic, subscription);
  if (archiveSubscription !== undefined)
    await makeSubscription(clients, topic, { name: archiveSubscription, ackDeadlineSeconds: 60 });
}

async function provisionSubscription(
  clients: Clients,
  topic: string,
  subscription: ProvisionedSubscription,
): Promise<void> {
  const { quarantine, ackDeadlineSeconds } = subscription;
  if (quarantine !== undefined) {
    await makeTopic(clients, quarantine.topic);
    // Without a subscription there what is sent there would be gone.
    const name = quarantine.subscription;
    await makeSubscription(clients, quarantine.topic, { name, ackDeadlineSeconds });
  }
  await makeSubscription(clients, topic, subscription);
}

const makeTopic = ({ publisher, projectId }: Clients, topic: string): Promise<void> =>
  unlessThere(publisher.createTopic({ name: topicPath(projectId, topic) }));

const makeSubscription = (
  { subscriber, projectId }: Clients,
  topic: string,
  { name, ackDeadlineSeconds, quarantine, retry }: ProvisionedSubscription,
): Promise<void> =>
  unlessThere(
    subscriber.createSubscription({
      name: subscriptionPath(projectId, name),
      topic: topicPath(projectId, topic),
      ackDeadlineSeconds,
      // Kept although acknowledged, so that a seek can bring it back.
      retainAckedMessages: true,
      messageRetentionDuration: { seconds: RETENTION_SECONDS },
      // Without a time to live: never, however long nobody pulls.
      expirationPolicy: {},
      ...(retry && {
        retryPolicy: {
          minimumBackoff: { seconds: retry.minimumSeconds },
          maximumBackoff: { seconds: retry.maximumSeconds },
        },
      }),
      ...(quarantine && {
        deadLetterPolicy: {
          deadLetterTopic: topicPath(projectId, quarantine.topic),
          maxDeliveryAttempts: DELIVERY_ATTEMPTS_MAX,
        },
      }),
    }),
  );

async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!hasStatus(error, status.ALREADY_EXISTS)) throw error;
  }
}
