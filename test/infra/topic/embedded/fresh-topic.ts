import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MICROS_PER_SECOND } from '#domain/instant.ts';
import { openTopic } from '#infra/topic/embedded/embedded-topic.ts';
import type { EmbeddedTopic, EmbeddedTopicOptions } from '#infra/topic/embedded/embedded-topic.ts';

export const ACK_DEADLINE_SECONDS = 60;
const START = Date.UTC(2026, 2, 1) * 1_000;

/** A temporary topic whose clock stands still until it is moved. */
export interface FreshTopic {
  readonly directory: string;
  now(): number;
  pass(seconds: number): void;
  open(options?: Partial<EmbeddedTopicOptions>): Promise<EmbeddedTopic>;
  readonly dispose: () => Promise<void>;
}

export async function freshTopic(): Promise<FreshTopic> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-topic-'));
  const opened: EmbeddedTopic[] = [];
  let now = START;
  return {
    directory,
    now: () => now,
    pass: (seconds) => void (now += seconds * MICROS_PER_SECOND),
    open: async (options) => {
      const topic = await openTopic({ directory, subscription: 'usage', clock: () => now, ...options });
      opened.push(topic);
      return topic;
    },
    dispose: async () => {
      await Promise.all(opened.map((topic) => topic.close()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
