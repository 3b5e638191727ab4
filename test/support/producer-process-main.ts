import { setTimeout } from 'node:timers/promises';
import { LOCAL_FEED, localPaths } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { openTopic } from '#infra/topic/embedded/embedded-topic.ts';
import { TopicUnavailable } from '#infra/topic/errors.ts';
import type { Order, Published } from './producer-process.ts';

/*
 * A producer as a process of its own. Its parent sends orders, each a list of batches of messages; it publishes them one batch after the
 * other, again and again while the topic is out of order, and answers when all of them are durable.
 */
const AGAIN_AFTER_MS = 100;

const [, , directory = ''] = process.argv;
const topic = await openTopic({
  directory: localPaths(directory).topic,
  subscription: LOCAL_FEED.subscription,
  clock: systemScheduler.now,
});
let failures = 0;
let lastError = '';

async function publish(texts: readonly string[]): Promise<void> {
  const messages = texts.map((text) => ({ data: Buffer.from(text) }));
  for (;;) {
    try {
      await topic.publish(messages);
      return;
    } catch (error) {
      if (!(error instanceof TopicUnavailable)) throw error;
      failures++;
      lastError = `${error.message}: ${String(error.cause)}`;
      process.send?.({ failures, lastError } satisfies Published);
      await setTimeout(AGAIN_AFTER_MS);
    }
  }
}

async function fulfil({ id, batches }: Order): Promise<void> {
  for (const batch of batches) await publish(batch);
  process.send?.({ id, publishedBy: systemScheduler.now(), failures, lastError } satisfies Published);
}

let orders = Promise.resolve();
process.on('message', (order: Order) => {
  orders = orders.then(() => fulfil(order));
});
process.on('SIGTERM', () => void orders.then(() => topic.close()).then(() => process.disconnect()));
process.on('disconnect', () => process.exit());
