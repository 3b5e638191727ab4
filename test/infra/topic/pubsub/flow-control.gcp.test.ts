import { expect } from 'chai';
import { setTimeout } from 'node:timers/promises';
import { PULL_STREAMS } from '#infra/topic/pubsub/limits.ts';
import type { Message } from '#infra/topic/topic.ts';
import { textMessage, textOf } from '#test/contract/topic/suite.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { eventually } from '#test/support/eventually.ts';
import { freshPubsub, type FreshPubsub } from './fresh-pubsub.ts';

const MESSAGES = 4_000;
const BOUND = 500;
/** The emulator keeps to no bound; it sends so many in one answer, and a stream that it oversteps is ended. */
const EMULATOR_ANSWER_MESSAGES = 100;

describe('the flow of a Pub/Sub topic', () => {
  const emulators = useEmulators(['pubsub']);
  let fresh: FreshPubsub;
  beforeEach(async () => {
    fresh = await freshPubsub(emulators.pubsubHost);
  });
  afterEach(() => fresh.dispose());

  it('is bounded by what is not acknowledged, and leaves the rest to others', async () => {
    // Beyond a deadline that this test would see end.
    const options = { ackDeadlineSeconds: 60 };
    const greedy = await fresh.open({ ...options, outstandingMessagesMax: BOUND });
    const sent = Array.from({ length: MESSAGES }, (_, i) => `message ${i}`);
    await greedy.publish(sent.map(textMessage));
    let held = 0;
    for (let i = 0; i < 100; i++) held += (await greedy.pull(MESSAGES)).length;
    expect(held).to.be.at.least(BOUND);
    expect(held).to.be.at.most(BOUND + PULL_STREAMS * EMULATOR_ANSWER_MESSAGES);

    const other = await fresh.open(options);
    let others = 0;
    await eventually('another handle has the rest', async () => {
      const pulled = await other.pull(MESSAGES);
      others += pulled.length;
      await other.ack(pulled.map(({ ackId }) => ackId));
      return others >= MESSAGES - held;
    });
  });

  it('goes on as soon as there is room again, and loses nothing on the way', async () => {
    const topic = await fresh.open({ outstandingMessagesMax: BOUND, ackDeadlineSeconds: 60 });
    const sent = Array.from({ length: MESSAGES }, (_, i) => `message ${i}`);
    await topic.publish(sent.map(textMessage));
    const got = new Set<string>();
    let most = 0;
    const inHand: Message[] = [];
    await eventually('all came', async () => {
      inHand.push(...(await topic.pull(200)));
      most = Math.max(most, (await topic.backlog()).messages);
      // What is in hand is acknowledged late, so that the bound is felt.
      if (inHand.length < 300 && got.size + inHand.length < MESSAGES) return false;
      for (const message of inHand) got.add(textOf(message));
      await topic.ack(inHand.splice(0).map(({ ackId }) => ackId));
      return got.size === MESSAGES;
    });
    // Streams that were ended may each bring one answer more while those opened after them bring their first.
    expect(most).to.be.at.most(BOUND + 2 * PULL_STREAMS * EMULATOR_ANSWER_MESSAGES);
    await setTimeout(300);
    expect(await topic.backlog()).to.deep.equal({ messages: 0, scope: 'worker' });
  });
});
