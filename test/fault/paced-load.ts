import { setTimeout as sleep } from 'node:timers/promises';
import { systemScheduler } from '#infra/scheduler.ts';
import type { Topic } from '#infra/topic/topic.ts';
import type { PlannedMessage } from '#test/support/reference-plan.ts';
import type { Durable } from './true-watermark.ts';

/** Messages a second: what is in flight at a fault depends on it. */
export const RATE = 500;
const BATCH = 25;

/** Publishes at an even pace, and notes each batch when the topic has it. */
export async function publishPaced(
  topic: Pick<Topic, 'publish'>,
  messages: readonly PlannedMessage[],
  note: (durable: Durable) => void,
): Promise<void> {
  const startedAt = performance.now();
  for (let at = 0; at < messages.length; at += BATCH) {
    await sleep(Math.max(0, startedAt + (at / RATE) * 1_000 - performance.now()));
    const batch = messages.slice(at, at + BATCH);
    await topic.publish(batch.map(({ text }) => ({ data: Buffer.from(text) })));
    note({ by: systemScheduler.now(), messages: batch });
  }
}
