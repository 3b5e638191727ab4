import { setTimeout } from 'node:timers/promises';
import { ACK_DEADLINE_SECONDS, freshPubsub } from '#test/infra/topic/pubsub/fresh-pubsub.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { topicContract } from './suite.ts';

/** Leases end on the emulator up to a second after their time. */
const LATE_MS = 1_000;

describe('on the emulator', () => {
  const emulators = useEmulators(['pubsub']);
  topicContract('pubsub', async () => {
    const fresh = await freshPubsub(emulators.pubsubHost);
    return {
      open: (subscription) => fresh.open({ subscription: `${fresh.topic}-${subscription}` }),
      ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
      refusesEmptyMessages: true,
      passAckDeadline: () => setTimeout(ACK_DEADLINE_SECONDS * 1_000 + LATE_MS),
      dispose: fresh.dispose,
    };
  });
});
