import { expect } from 'chai';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import { isRunning, type RunningEmulator } from '#infra/emulators/emulator.ts';
import { openEmulator } from '#infra/emulators/open-emulators.ts';
import type { PubsubTopic } from '#infra/topic/pubsub/open.ts';
import { textMessage, textOf } from '#test/contract/topic/suite.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { eventually } from '#test/support/eventually.ts';
import { breakableProxy, type BreakableProxy } from './breakable-proxy.ts';
import { freshPubsub } from './fresh-pubsub.ts';

/** Pulls and acknowledges until that text comes; what the topic complains about meanwhile is kept. */
async function pullUntil(topic: PubsubTopic, text: string, complaints: unknown[] = []): Promise<void> {
  await eventually(`'${text}' came`, async () => {
    try {
      const messages = await topic.pull(10);
      await topic.ack(messages.map(({ ackId }) => ackId));
      return messages.some((message) => textOf(message) === text);
    } catch (error) {
      complaints.push(error);
      return false;
    }
  });
}

describe('a Pub/Sub topic whose server goes away', () => {
  const emulators = useEmulators(['pubsub']);
  let proxy: BreakableProxy;
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (_: object, message: string) => void warnings.push(message) };
  beforeEach(async () => {
    proxy = await breakableProxy(emulators.pubsubHost);
    warnings.length = 0;
  });
  afterEach(() => proxy.close());

  it('says so, goes on when it is back, and has lost nothing', async () => {
    const fresh = await freshPubsub(proxy.address);
    const topic = await fresh.open({ log });
    await topic.publish([textMessage('before')]);
    await pullUntil(topic, 'before');
    proxy.break();
    const complaints: unknown[] = [];
    await eventually('a pull fails', async () => {
      await topic.pull(1).catch((error: unknown) => complaints.push(error));
      return complaints.length > 0;
    });
    expect(complaints[0]).to.be.instanceOf(TopicUnavailable);
    expect(warnings).to.include('a stream of the topic broke; opening it again');
    // Published while nobody is there: it is tried again until it is.
    const publishing = topic.publish([textMessage('after')]);
    proxy.mend();
    await publishing;
    await pullUntil(topic, 'after');
    await fresh.dispose();
  });

  it('takes up its work on a server that has forgotten all, once the topic is made anew', async () => {
    const second: RunningEmulator = await another();
    try {
      const fresh = await freshPubsub(proxy.address);
      const topic = await fresh.open({ log });
      await topic.publish([textMessage('before')]);
      const [held] = await topic.pull(1);
      proxy.break();
      proxy.mend(second.variables['PUBSUB_EMULATOR_HOST']);
      const complaints: unknown[] = [];
      await eventually('what is missing is said', async () => {
        await topic.pull(1).catch((error: unknown) => complaints.push(error));
        return complaints.some((error) => error instanceof Error && /NOT_FOUND/.test(error.message));
      });
      await fresh.provision({ name: fresh.subscription });
      await topic.publish([textMessage('after')]);
      await pullUntil(topic, 'after');
      // Ids of the forgotten deliveries harm nobody.
      if (held !== undefined) await topic.ack([held.ackId]);
      await fresh.dispose();
    } finally {
      await second.stop();
    }
  });
});

/** An emulator of its own, which knows nothing of the other. */
async function another(): Promise<RunningEmulator> {
  const { PUBSUB_EMULATOR_HOST: _, ...environment } = process.env;
  const emulator = await openEmulator('pubsub', { environment, say: () => undefined });
  if (!isRunning(emulator)) throw new Error(emulator.reason);
  return emulator;
}
