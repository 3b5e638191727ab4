import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTopic } from '#infra/topic/embedded/embedded-topic.ts';
import type { EmbeddedTopic } from '#infra/topic/embedded/embedded-topic.ts';
import type { Message } from '#infra/topic/topic.ts';

const MESSAGE_BYTES = 170;
const GROUP_MESSAGES = 1_000;
const PULL_MESSAGES = 20_000;
const ROUNDS = 25;
const PHASES = ['publish', 'pull', 'ack in order', 'ack shuffled in 16 parts', 'idle pull'] as const;
const SHARDS = 16;
const IDLE_PULLS = 2_000;

type Phase = (typeof PHASES)[number];
interface Sample {
  readonly cpuMicros: number;
  readonly wallMicros: number;
}

/** CPU of all threads of the process, so that what the thread pool does for us counts as well. */
async function measure<Result>(
  samples: Map<Phase, Sample[]>,
  phase: Phase,
  count: number,
  work: () => Promise<Result>,
) {
  const before = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const wallMicros = ((performance.now() - start) * 1_000) / count;
  const used = process.cpuUsage(before);
  samples.set(phase, [
    ...(samples.get(phase) ?? []),
    { cpuMicros: (used.user + used.system) / count, wallMicros },
  ]);
  return result;
}

async function publishGroups(topic: EmbeddedTopic): Promise<void> {
  const batch = Array.from({ length: GROUP_MESSAGES }, () => ({ data: new Uint8Array(MESSAGE_BYTES) }));
  for (let sent = 0; sent < PULL_MESSAGES; sent += GROUP_MESSAGES) await topic.publish(batch);
}

/** As a consumer acknowledges that commits by shards: every part has messages of every group. */
async function ackInParts(topic: EmbeddedTopic, messages: readonly Message[]): Promise<void> {
  const parts = Array.from({ length: SHARDS }, (): string[] => []);
  messages.forEach((message, i) => parts[(i * 2_654_435_761) % SHARDS]?.push(message.ackId));
  for (const part of parts) await topic.ack(part);
}

async function round(topic: EmbeddedTopic, samples: Map<Phase, Sample[]>, shuffled: boolean): Promise<void> {
  await measure(samples, 'publish', PULL_MESSAGES, () => publishGroups(topic));
  const messages = await measure(samples, 'pull', PULL_MESSAGES, () => topic.pull(PULL_MESSAGES));
  if (messages.length !== PULL_MESSAGES) throw new Error(`pulled ${messages.length} messages`);
  const ids = messages.map((message) => message.ackId);
  if (shuffled)
    await measure(samples, 'ack shuffled in 16 parts', PULL_MESSAGES, () => ackInParts(topic, messages));
  else await measure(samples, 'ack in order', PULL_MESSAGES, () => topic.ack(ids));
  await measure(samples, 'idle pull', IDLE_PULLS, async () => {
    for (let i = 0; i < IDLE_PULLS; i++) await topic.pull(PULL_MESSAGES);
  });
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-topic-'));
  const samples = new Map<Phase, Sample[]>();
  try {
    const topic = await openTopic({ directory, subscription: 'bench', clock: () => Date.now() * 1_000 });
    for (let i = 0; i < ROUNDS; i++) await round(topic, samples, i % 2 === 1);
    await topic.close();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  for (const phase of PHASES) {
    const taken = samples.get(phase) ?? [];
    const cpu = taken.map((sample) => sample.cpuMicros);
    const spread = `${Math.min(...cpu).toFixed(3)} to ${Math.max(...cpu).toFixed(3)}`;
    const wall = median(taken.map((sample) => sample.wallMicros)).toFixed(3);
    const unit = phase === 'idle pull' ? 'call' : 'message';
    console.log(
      `${phase.padEnd(26)} ${median(cpu).toFixed(3)} us CPU a ${unit} (${spread}), ${wall} us wall`,
    );
  }
}

await main();
