import { randomUUID } from 'node:crypto';
import { systemScheduler } from '#infra/scheduler.ts';
import { openPubsubTopic, type PubsubTopic, type PubsubTopicOptions } from '#infra/topic/pubsub/open.ts';
import { provisionPubsub, type ProvisionedSubscription } from '#infra/topic/pubsub/provision.ts';

/** The shortest that Pub/Sub allows, so that tests of redelivery take no longer than they must. */
export const ACK_DEADLINE_SECONDS = 10;
export const PROJECT = 'millrace-test';

/** A topic of its own on the emulator; subscriptions are made as they are opened. */
export interface FreshPubsub {
  readonly topic: string;
  /** The one that handles are opened on unless told otherwise. */
  readonly subscription: string;
  readonly emulatorHost: string;
  open(options?: Partial<PubsubTopicOptions>): Promise<PubsubTopic>;
  provision(subscription: Partial<ProvisionedSubscription> & { readonly name: string }): Promise<void>;
  readonly dispose: () => Promise<void>;
}

export async function freshPubsub(emulatorHost: string): Promise<FreshPubsub> {
  const topic = `t-${randomUUID()}`;
  const ownSubscription = `${topic}-usage`;
  const place = { projectId: PROJECT, emulatorHost };
  const opened: PubsubTopic[] = [];
  const provision: FreshPubsub['provision'] = (subscription) =>
    provisionPubsub(place, [
      { topic, subscriptions: [{ ackDeadlineSeconds: ACK_DEADLINE_SECONDS, ...subscription }] },
    ]);
  return {
    topic,
    subscription: ownSubscription,
    emulatorHost,
    provision,
    open: async (options) => {
      const subscription = options?.subscription ?? ownSubscription;
      await provision({ name: subscription });
      const handle = await openPubsubTopic({
        ...place,
        topic,
        clock: systemScheduler.now,
        ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
        ...options,
        subscription,
      });
      opened.push(handle);
      return handle;
    },
    dispose: async () => void (await Promise.all(opened.map((handle) => handle.close()))),
  };
}
