import { expect } from 'chai';
import { setTimeout } from 'node:timers/promises';
import { resolve } from 'node:path';
import type { PubsubTopic } from '#infra/topic/pubsub/open.ts';
import type { Message } from '#infra/topic/topic.ts';
import { textMessage, textOf } from '#test/contract/topic/suite.ts';
import { startChild } from '#test/support/child-process.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { eventually } from '#test/support/eventually.ts';
import { ACK_DEADLINE_SECONDS, freshPubsub, PROJECT, type FreshPubsub } from './fresh-pubsub.ts';

const PROGRAM = resolve(import.meta.dirname, 'subscriber-process.ts');
const DEADLINE_MS = ACK_DEADLINE_SECONDS * 1_000;
/** The emulator may lease messages to a stream that is gone, up to some deadlines long. */
const REDELIVERY_MS = 60_000;

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `message ${i}`);
const idsOf = (messages: readonly Message[]): string[] => messages.map(({ ackId }) => ackId);

/** Pulls until that many different messages came, acknowledging none. */
async function pullDistinct(topic: PubsubTopic, count: number, patienceMs?: number): Promise<Message[]> {
  const pulled = new Map<string, Message>();
  await eventually(
    `${count} messages came`,
    async () => {
      for (const message of await topic.pull(count)) pulled.set(message.id, message);
      return pulled.size >= count;
    },
    { ...(patienceMs && { patienceMs }), explain: () => `${pulled.size} of ${count} came` },
  );
  return [...pulled.values()];
}

describe('deliveries of a Pub/Sub topic', () => {
  const emulators = useEmulators(['pubsub']);
  let fresh: FreshPubsub;
  beforeEach(async () => {
    fresh = await freshPubsub(emulators.pubsubHost);
  });
  afterEach(() => fresh.dispose());

  it('come again to others when the process that holds them is killed', async () => {
    const topic = await fresh.open();
    const sent = texts(120);
    await topic.publish(sent.map(textMessage));
    const { emulatorHost, topic: name } = fresh;
    const child = startChild(PROGRAM, [
      emulatorHost,
      PROJECT,
      name,
      fresh.subscription,
      String(ACK_DEADLINE_SECONDS),
    ]);
    const held = new Set<string>();
    child.process.on('message', (more: string[]) => more.forEach((text) => held.add(text)));
    await eventually('the other process holds them all', () => held.size === sent.length, {
      explain: child.errorText,
    });
    await child.kill();
    const again = await pullDistinct(topic, sent.length, REDELIVERY_MS);
    expect(again.map(textOf).sort()).to.deep.equal([...sent].sort());
    await topic.ack(idsOf(again));
  });

  it('do not come again while they wait to be pulled, however long their deadline is over', async () => {
    const [topic, other] = [await fresh.open(), await fresh.open()];
    await topic.publish(texts(50).map(textMessage));
    // The first pull opens the streams; the rest waits in memory.
    await topic.ack(idsOf(await pullDistinct(topic, 1)));
    for (let waitedMs = 0; waitedMs < 2.5 * DEADLINE_MS; waitedMs += DEADLINE_MS / 4) {
      await setTimeout(DEADLINE_MS / 4);
      expect(await other.pull(50)).to.deep.equal([]);
    }
    const waited = await pullDistinct(topic, 49);
    expect(waited.map(({ attempt }) => attempt)).to.deep.equal(Array(49).fill(1));
    await topic.ack(idsOf(waited));
  });

  it('stay with whoever extends them, beyond many deadlines', async () => {
    const [topic, other] = [await fresh.open(), await fresh.open()];
    await topic.publish(texts(20).map(textMessage));
    const pulled = await pullDistinct(topic, 20);
    for (let turn = 0; turn < 8; turn++) {
      await topic.extend(idsOf(pulled), ACK_DEADLINE_SECONDS);
      await setTimeout(DEADLINE_MS / 3);
      expect(await other.pull(20)).to.deep.equal([]);
    }
    await topic.ack(idsOf(pulled));
    await setTimeout(1.2 * DEADLINE_MS);
    expect([...(await other.pull(20)), ...(await topic.pull(20))]).to.deep.equal([]);
  });

  it('go to others at once when their handle is closed', async () => {
    const [topic, other] = [await fresh.open(), await fresh.open()];
    await topic.publish(texts(30).map(textMessage));
    await pullDistinct(topic, 10);
    await topic.close();
    const startedAt = performance.now();
    await pullDistinct(other, 30, DEADLINE_MS);
    // Far below the deadline: they were given back, not waited for.
    expect(performance.now() - startedAt).to.be.below(DEADLINE_MS / 2);
  });

  it('are counted by the server where it sets messages aside that come again and again', async () => {
    const quarantine = { topic: `${fresh.topic}-quarantine`, subscription: `${fresh.topic}-quarantine` };
    await fresh.provision({ name: fresh.subscription, quarantine });
    const [first, second] = [await fresh.open(), await fresh.open()];
    await first.publish([textMessage('a')]);
    const [delivered] = await pullDistinct(first, 1);
    expect(delivered?.attempt).to.equal(1);
    await first.close();
    const [again] = await pullDistinct(second, 1);
    expect(again?.attempt).to.equal(2);
  });
});
