import { expect } from 'chai';
import { setTimeout } from 'node:timers/promises';
import type { Instant } from '#domain/instant.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import type { PubsubTopic } from '#infra/topic/pubsub/open.ts';
import type { Message } from '#infra/topic/topic.ts';
import { textMessage } from '#test/contract/topic/suite.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { eventually } from '#test/support/eventually.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { freshPubsub, type FreshPubsub } from './fresh-pubsub.ts';

const ROUNDS = 120;
const ROUND_MS = 100;

interface Look {
  readonly at: Instant;
  readonly through: Instant;
}

const through = async (topic: PubsubTopic): Promise<Instant | undefined> => {
  const seen = await topic.oldestUnacknowledged();
  return seen === 'unknown' ? undefined : Math.min(seen.at, seen.oldest ?? seen.at);
};

describe('the watermark of a Pub/Sub topic with one handle, on the emulator', () => {
  const emulators = useEmulators(['pubsub']);
  let fresh: FreshPubsub;
  beforeEach(async () => {
    fresh = await freshPubsub(emulators.pubsubHost);
  });
  afterEach(() => fresh.dispose());

  it('is never ahead of a message that is not acknowledged, and follows the last of them', async () => {
    const topic = await fresh.open({ outstandingMessagesMax: 200 });
    const random = seededRandom(7);
    const publishTimes = new Map<string, Instant>();
    const acknowledgedAt = new Map<string, Instant>();
    const looks: Look[] = [];
    let published = 0;
    let inHand: Message[] = [];

    const answer = async (): Promise<void> => {
      const some = inHand.filter(() => random.next() < 0.5);
      inHand = inHand.filter((message) => !some.includes(message));
      const ids = some.map(({ ackId }) => ackId);
      if (random.next() < 0.3) return topic.release(ids);
      await topic.ack(ids);
      const now = systemScheduler.now();
      for (const { id } of some) if (!acknowledgedAt.has(id)) acknowledgedAt.set(id, now);
    };
    const pull = async (): Promise<void> => {
      for (const message of await topic.pull(50)) {
        publishTimes.set(message.id, message.publishTime);
        inHand.push(message);
      }
    };
    const look = async (): Promise<void> => {
      const seen = await through(topic);
      // Looked at before this time: what was acknowledged by then counts.
      if (seen !== undefined) looks.push({ at: systemScheduler.now(), through: seen });
    };

    for (let round = 0; round < ROUNDS; round++) {
      const more = Math.floor(random.next() * 40);
      published += more;
      await topic.publish(Array.from({ length: more }, (_, i) => textMessage(`${round} ${i}`)));
      await pull();
      await answer();
      await look();
      await setTimeout(ROUND_MS);
    }
    await eventually('everything is acknowledged', async () => {
      await pull();
      await answer();
      await look();
      return acknowledgedAt.size === published && inHand.length === 0;
    });
    const ahead = looks.flatMap(({ at, through: seen }) =>
      [...publishTimes].filter(([id, time]) => time < seen && (acknowledgedAt.get(id) ?? Infinity) > at),
    );
    expect(ahead).to.deep.equal([]);
    // What was released is over when it can be with nobody else any more.
    const last = Math.max(...publishTimes.values());
    await eventually('the watermark has passed every message', async () => {
      await pull();
      await answer();
      return ((await through(topic)) ?? 0) > last;
    });
  });
});
