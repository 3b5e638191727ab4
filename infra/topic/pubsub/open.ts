import type { Instant } from '#domain/instant.ts';
import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { TopicUnavailable } from '../errors.ts';
import { MAX_ACK_DEADLINE_SECONDS } from '../limits.ts';
import type { Topic, UnacknowledgedScope } from '../topic.ts';
import { getWithCredentials, monitoredSubscription, type GetJson } from './cloud-monitoring.ts';
import { connect, PUBLISH_CALL, subscriptionPath, topicPath, type PubsubPlace } from './connection.ts';
import { OUTSTANDING_BYTES_MAX, OUTSTANDING_MESSAGES_MAX, REDELIVERY_DEADLINES } from './limits.ts';
import { monitorState, type MonitoredState } from './monitored-state.ts';
import { createPublisher, type SendRequest } from './publisher.ts';
import type { SubscriberCalls } from './subscriber-calls.ts';
import { createSubscriber, type Subscriber } from './subscriber.ts';
import { processWarnings, type TopicLog } from './topic-log.ts';

/** The server takes deadlines from here on. */
const MIN_ACK_DEADLINE_SECONDS = 10;

export interface PubsubTopicOptions extends PubsubPlace {
  readonly topic: string;
  /** Without it the handle publishes only. */
  readonly subscription?: string;
  readonly clock: () => Instant;
  /** 10 to 600. How long a message may be in hand without being extended. */
  readonly ackDeadlineSeconds: number;
  readonly outstandingMessagesMax?: number;
  readonly outstandingBytesMax?: number;
  /** Told of streams that break, and of leases that could not be kept. Warnings of the process unless told otherwise. */
  readonly log?: TopicLog;
  readonly sleep?: Scheduler['sleep'];
  /** How Cloud Monitoring is asked; with the credentials of the machine unless told otherwise. Never on an emulator, which has none. */
  readonly getJson?: GetJson;
}

export interface PubsubBacklog {
  readonly messages: number;
  readonly oldest?: Instant;
  /** 'worker': only what this handle was given, since nobody on an emulator knows more. */
  readonly scope: UnacknowledgedScope;
}

export interface PubsubTopic extends Topic {
  /** Throws `TopicUnavailable` where nobody knows: on an emulator, a handle that is not pulled. */
  backlog(): Promise<PubsubBacklog>;
}

/**
 * A handle on a topic that exists, and on a subscription of it that exists. It connects when it is first used: that a topic is missing or
 * forbidden is said by the call that needs it. Throws `TopicUnavailable` where there are no credentials.
 */
export async function openPubsubTopic(options: PubsubTopicOptions): Promise<PubsubTopic> {
  const { clock, projectId, sleep = systemScheduler.sleep } = options;
  checkDeadline(options.ackDeadlineSeconds);
  const connection = await connect(options);
  const name = topicPath(projectId, options.topic);
  const send: SendRequest = async (messages) => {
    // The client only reads the messages, which its type does not say.
    const request = { topic: name, messages: messages.map((message) => ({ ...message })) };
    const [{ messageIds }] = await connection.publisher.publish(request, PUBLISH_CALL);
    return messageIds ?? [];
  };
  const publisher = createPublisher(send, { sleep });
  const source = sourceOf(options, connection.subscriber, { now: clock, sleep });
  return {
    publish: publisher.publish,
    ...source,
    close: once(async () => {
      await Promise.all([publisher.close(), source.close()]);
      await connection.close();
    }),
  };
}

type Source = Omit<PubsubTopic, 'publish'>;

function sourceOf(options: PubsubTopicOptions, client: SubscriberCalls, scheduler: Scheduler): Source {
  const { projectId, subscription, emulatorHost } = options;
  if (subscription === undefined) return publishOnly;
  const subscriber = createSubscriber({
    client,
    subscription: subscriptionPath(projectId, subscription),
    ackDeadlineSeconds: options.ackDeadlineSeconds,
    outstandingMessagesMax: options.outstandingMessagesMax ?? OUTSTANDING_MESSAGES_MAX,
    outstandingBytesMax: options.outstandingBytesMax ?? OUTSTANDING_BYTES_MAX,
    redeliveryMs: emulatorHost === undefined ? 0 : REDELIVERY_DEADLINES * options.ackDeadlineSeconds * 1_000,
    scheduler,
    log: options.log ?? processWarnings,
  });
  if (emulatorHost !== undefined) return onEmulator(subscriber);
  const getJson = options.getJson ?? getWithCredentials(projectId);
  return inCloud(
    subscriber,
    monitorState(monitoredSubscription(getJson, { projectId, subscription }), scheduler.now),
  );
}

const portOf = ({ pull, ack, release, extend, forget, seek, close }: Subscriber) => ({
  pull: async (max: number) => pull(checkMax(max)),
  ack,
  release,
  extend: async (ids: readonly string[], seconds: number) => extend(ids, checkSeconds(seconds)),
  forget,
  seek: async (to: Instant) => seek(checkInstant(to)),
  close,
});

/** Nobody knows of all messages here: a handle tells what it knows alone. */
const onEmulator = (subscriber: Subscriber): Source => ({
  ...portOf(subscriber),
  oldestUnacknowledged: async () => subscriber.oldestHere(),
  backlog: async () => {
    const held = subscriber.held();
    if (held === undefined)
      throw new TopicUnavailable('only a handle that is pulled knows a backlog on an emulator');
    return { ...held, scope: 'worker' };
  },
});

const inCloud = (subscriber: Subscriber, monitored: MonitoredState): Source => {
  const port = portOf(subscriber);
  return {
    ...port,
    seek: async (to) => {
      await port.seek(to);
      monitored.sought();
    },
    oldestUnacknowledged: monitored.oldestUnacknowledged,
    backlog: async () => ({ ...(await monitored.backlog()), scope: 'subscription' }),
  };
};

const noSubscription = async (): Promise<never> => {
  throw new TopicUnavailable('this handle publishes only: it has no subscription');
};
const publishOnly: Source = {
  pull: noSubscription,
  ack: noSubscription,
  release: noSubscription,
  extend: noSubscription,
  seek: noSubscription,
  oldestUnacknowledged: noSubscription,
  backlog: noSubscription,
  close: async () => undefined,
};

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= close());
}

function checkDeadline(seconds: number): void {
  if (seconds >= MIN_ACK_DEADLINE_SECONDS && seconds <= MAX_ACK_DEADLINE_SECONDS) return;
  throw new RangeError(
    `an acknowledgement deadline is ${MIN_ACK_DEADLINE_SECONDS} to ${MAX_ACK_DEADLINE_SECONDS} seconds, not ${seconds}`,
  );
}

function checkMax(max: number): number {
  if (Number.isSafeInteger(max) && max >= 1) return max;
  throw new RangeError(`a pull is of at least one message, not of ${max}`);
}

function checkSeconds(seconds: number): number {
  if (seconds > 0 && seconds <= MAX_ACK_DEADLINE_SECONDS) return seconds;
  throw new RangeError(
    `an extension is above 0 and up to ${MAX_ACK_DEADLINE_SECONDS} seconds, not ${seconds}`,
  );
}

function checkInstant(at: Instant): Instant {
  if (!Number.isSafeInteger(at)) throw new RangeError(`not an instant in whole microseconds: ${at}`);
  return at;
}
