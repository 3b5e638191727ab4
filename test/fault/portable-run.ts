import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { fromHex } from '#domain/metering/hash128.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import type { CloudStores } from '#infra/cloud/open-cloud.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { isHeartbeat } from '#infra/topic/heartbeat.ts';
import type { Topic } from '#infra/topic/topic.ts';
import { event } from '#infra/usage/tables.ts';
import { openCloudStores } from '#test/support/cloud-stores.ts';
import { eventually } from '#test/support/eventually.ts';
import { NAMESPACE } from '#test/support/local-stores.ts';
import { openLossyProxy, type LossyProxy } from '#test/support/lossy-proxy.ts';
import { startPortable, type PortableProcess } from '#test/support/portable-process.ts';
import { REFERENCE_METERS } from '#test/support/reference-meters.ts';
import type { PlannedMessage } from '#test/support/reference-plan.ts';
import { publishPaced } from './paced-load.ts';
import { createTrueWatermark, notCommitted, type TrueWatermark } from './true-watermark.ts';

/** A streaming job on an engine, in the middle of its work, for a fault to happen to. */
export interface PortableRun {
  readonly stores: CloudStores;
  /** Spanner, as the pipelines reach it. */
  readonly spanner: LossyProxy;
  /** Of the engine of the pipeline that runs now: logs, configuration, checkpoints. */
  folder(): string;
  /** The one that runs now. */
  pipeline(): PortableProcess;
  /** Another one, under another name, with an engine of its own: it is the one that runs now, and the one before goes on. */
  startNext(): PortableProcess;
}

export interface Scenario {
  /** What holds, as the name of a test. */
  readonly name: string;
  /** What happens in the middle of the load; nothing where it is absent. */
  readonly fault?: (run: PortableRun) => Promise<void>;
  /** Only where the whole is asked for: it takes long, and another scenario comes near it. */
  readonly onlyInFull?: boolean;
}

/** How much of a load is published before its fault. */
const BEFORE_FAULT = 1 / 3;
/** When so many of these are committed the fault comes: few, so that most are on their way then. */
const SEEN_BEFORE_FAULT = 50;
const LOOK_EVERY_MS = 500;
/** The claim of a dead worker counts for many deadlines on the emulator, whose watermark nothing else can tell. */
const PATIENCE_MS = 360_000;
/** How long a bundle tries a refused commit again: less than a refusal lasts, so that bundles fail. */
const PATIENCE_SECONDS = '2';
/** Beyond the acknowledgement deadline on the emulators, which is 10 s: what nobody has acknowledged has come by then. */
const LISTEN_MS = 15_000;
const PULL_MESSAGES = 100;

export const isRunning = ({ state }: { readonly state: string }): boolean => state === 'RUNNING';

export interface Bench extends PortableRun {
  readonly truth: TrueWatermark;
  close(): Promise<void>;
}

export async function openBench(
  environment: Record<string, string>,
  args: (folder: string) => readonly string[],
): Promise<Bench> {
  const root = mkdtempSync(join(tmpdir(), 'millrace-portable-'));
  const stores = await openCloudStores(environment);
  for (const [key, definition] of Object.entries(REFERENCE_METERS))
    await putMeter(stores.database, { namespace: NAMESPACE, key, definition });
  const spanner = await openLossyProxy(environment['SPANNER_EMULATOR_HOST'] ?? '');
  const pipelines: PortableProcess[] = [];
  const folder = (): string => join(root, `engine-${pipelines.length}`);
  const pipeline = (): PortableProcess => {
    const last = pipelines.at(-1);
    if (last === undefined) throw new Error('no pipeline was started');
    return last;
  };
  return {
    stores,
    spanner,
    folder,
    pipeline,
    truth: createTrueWatermark(stores.database),
    startNext: () => {
      const name = `usage-${pipelines.length + 1}`;
      const next = [...args(join(root, `engine-${pipelines.length + 1}`)), '--name', name];
      pipelines.push(
        startPortable(next, {
          ...environment,
          SPANNER_EMULATOR_HOST: spanner.address,
          MILLRACE_COMMIT_PATIENCE_SECONDS: PATIENCE_SECONDS,
        }),
      );
      return pipeline();
    },
    close: async () => {
      await Promise.all(pipelines.map((each) => each.kill()));
      await spanner.close();
      await stores.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export const usageTopic = ({ feeds }: CloudStores): Topic => {
  const usage = feeds.find(({ feed }) => feed === 'usage');
  if (usage === undefined) throw new Error('the suite has no feed usage');
  return usage.topic;
};

/** What a scenario showed, in ms; of the fault only where there was one. */
interface Figures {
  readonly events: number;
  readonly firstCommitMs?: number;
  readonly longestPauseMs?: number;
  readonly allCommittedMs: number;
  /** From the last publication until everything was committed. */
  readonly caughtUpMs: number;
  /** The longest that the watermark was seen to stand. */
  readonly stoodMs: number;
}

/** Publishes, does the fault in the middle, and resolves when everything published is committed. */
export async function runScenario(
  bench: Bench,
  messages: readonly PlannedMessage[],
  fault: Scenario['fault'],
): Promise<Figures> {
  const { truth, stores } = bench;
  const before = messages.slice(0, Math.ceil(messages.length * BEFORE_FAULT));
  const topic = usageTopic(stores);
  let faultAt: Instant | undefined;
  let publishedAt: Instant = 0;
  const publish = async (some: readonly PlannedMessage[]): Promise<void> => {
    await publishPaced(topic, some, truth.published);
    publishedAt = systemScheduler.now();
  };
  const work = async (): Promise<void> => {
    await publish(before);
    await Promise.all([
      publish(messages.slice(before.length)),
      (async () => {
        await untilCommitted(bench, before.slice(0, SEEN_BEFORE_FAULT));
        faultAt = systemScheduler.now();
        await fault?.(bench);
      })(),
    ]);
    await untilCommitted(bench, messages);
  };
  const startedAt = systemScheduler.now();
  const stoodMs = await checkWhile(truth, work());
  const figures = {
    events: messages.length,
    allCommittedMs: msSince(startedAt),
    caughtUpMs: msSince(publishedAt),
    stoodMs,
  };
  if (fault === undefined || faultAt === undefined) return figures;
  return { ...figures, ...(await pauses(stores, messages, faultAt)) };
}

const msSince = (at: Instant): number => (systemScheduler.now() - at) / MICROS_PER_MILLI;

/** The watermark is true for as long as the work goes on. Resolves with the longest that it stood meanwhile, in ms. */
async function checkWhile(truth: TrueWatermark, work: Promise<void>): Promise<number> {
  let isOver = false;
  const over = work.finally(() => (isOver = true));
  over.catch(() => undefined);
  let [through, movedAt, stoodMs] = [0, systemScheduler.now(), 0];
  while (!isOver) {
    const now = await truth.check();
    if (now > through) movedAt = systemScheduler.now();
    through = now;
    stoodMs = Math.max(stoodMs, msSince(movedAt));
    await Promise.race([over, sleep(LOOK_EVERY_MS)]);
  }
  await over;
  return stoodMs;
}

async function untilCommitted(
  { stores, pipeline }: Bench,
  messages: readonly PlannedMessage[],
): Promise<void> {
  let left = messages;
  const isNow = async (): Promise<boolean> => {
    const missing = new Set(await notCommitted(stores.database, left));
    left = left.filter(({ identity }) => identity !== undefined && missing.has(identity));
    if (left.length > 0) await sleep(LOOK_EVERY_MS);
    return left.length === 0;
  };
  await eventually('everything published is committed', isNow, {
    patienceMs: PATIENCE_MS,
    explain: () => `${left.length} of ${messages.length} messages are not\n${pipeline().explain()}`,
  });
}

/** By when the rows say they were committed, how soon after the fault the next commit came, and how long none came from then on. */
async function pauses(
  { database }: CloudStores,
  messages: readonly PlannedMessage[],
  faultAt: Instant,
): Promise<Pick<Figures, 'firstCommitMs' | 'longestPauseMs'>> {
  const identities = messages.flatMap(({ identity = [] }) => identity);
  const rows = await database.read(
    event,
    identities.map((identity) => [fromHex(identity)]),
  );
  const times = rows.flatMap((row) => (row === undefined ? [] : [row.committedAt]));
  const after = [faultAt, ...times.filter((at) => at > faultAt).sort((a, b) => a - b)];
  const gaps = after.slice(1).map((at, i) => (at - after[i]!) / 1_000);
  const [firstCommitMs] = gaps;
  return firstCommitMs === undefined ? {} : { firstCommitMs, longestPauseMs: Math.max(...gaps) };
}

/** Resolves when the watermark has passed everything that was published, and tells how long that took; it is true on the way there. */
export async function untilPassed({ truth, pipeline }: Bench): Promise<void> {
  const beganAt = systemScheduler.now();
  const hasPassed = async (): Promise<boolean> => {
    await truth.check();
    if (truth.unpassed() === 0) return true;
    await sleep(LOOK_EVERY_MS);
    return false;
  };
  await eventually('the watermark passes everything', hasPassed, {
    patienceMs: PATIENCE_MS,
    explain: () => pipeline().explain(),
  });
  process.stdout.write(`      the watermark has passed everything ${seconds(msSince(beganAt))} later\n`);
}

/** Whoever listens after the end of the pipelines hears heartbeats at most. */
export async function expectNothingUnacknowledged(topic: Topic): Promise<void> {
  const until = performance.now() + LISTEN_MS;
  const heard: string[] = [];
  while (performance.now() < until) {
    const messages = await topic.pull(PULL_MESSAGES);
    heard.push(
      ...messages.filter((each) => !isHeartbeat(each)).map(({ data }) => Buffer.from(data).toString()),
    );
    await topic.ack(messages.map(({ ackId }) => ackId));
  }
  expect(heard, 'messages that nobody acknowledged').to.deep.equal([]);
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

export function tell(figures: Figures): void {
  const { events, firstCommitMs, longestPauseMs, allCommittedMs, caughtUpMs, stoodMs } = figures;
  const parts = [
    `${events} messages, committed ${seconds(allCommittedMs)} after the first was published, ${seconds(caughtUpMs)} after the last`,
    `the watermark stood for ${seconds(stoodMs)} at most`,
  ];
  if (firstCommitMs !== undefined) parts.push(`first commit after the fault ${seconds(firstCommitMs)}`);
  if (longestPauseMs !== undefined) parts.push(`longest pause ${seconds(longestPauseMs)}`);
  process.stdout.write(`      ${parts.join('; ')}\n`);
}
