import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { LOCAL_FEED, openLocal, type LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { readFeeds } from '#infra/usage/watermark.ts';
import { quantile } from '#pipelines/demo/quantile.ts';
import { listenForStop } from '#pipelines/runner/listen-for-stop.ts';
import { checkWorkload } from './ingest.ts';
import { embeddedVariables, startOnFlink, type RunningMode } from './portable-modes.ts';
import { slopeOf } from './slope.ts';
import {
  delaysMs,
  expectedOf,
  publishRange,
  publishSteadily,
  subjectsLookedAt,
  untilAcknowledged,
  type SteadyLoad,
} from './steady-load.ts';
import { memoryOf, tellingOptions, type ProcessMemory } from './worker-memory.ts';
import { WORKLOAD_METERS } from './workload.ts';

/**
 * `node bench/portable-soak.ts --minutes 60 --rate 200 --out soak.jsonl`: a steady load through the usage job on a Flink mini cluster, with the embedded
 * stores. Every 30 seconds a line of JSON says what each process holds and how late events are. Ends by itself, or when it is told to, with a line that
 * compares the first samples with the last and says how fast memory rose in the second half, by what it was for, and with the totals checked
 * against the load's own count. Exit code 1 when totals are wrong.
 */
const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '200' },
    parallelism: { type: 'string', default: '1' },
    out: { type: 'string', default: 'soak.jsonl' },
  },
});

const SAMPLE_EVERY_MS = 30_000;
/** Events that were published this long ago are committed, or very late. */
const LOOK_BACK_MS = 15_000;
const READY_MS_MAX = 90_000;
const SUBJECTS = 1_000;
/** At each end, of the samples that are compared; what comes before is warming up. */
const COMPARED_SHARE = 0.2;
const WARM_UP_SHARE = 0.1;

/** Of all workers together, in bytes; undefined while one of them has not said. */
interface WorkerSums {
  readonly workerBytes: number | undefined;
  /** Used or garbage, and what lived at the last full collection, external memory included. */
  readonly workerHeapUsed: number | undefined;
  readonly workerKept: number | undefined;
  readonly workerExternal: number | undefined;
  readonly workerNative: number | undefined;
}

interface Sample extends WorkerSums {
  readonly seconds: number;
  readonly published: number;
  readonly engineBytes: number;
  readonly engineLiveBytes: number | undefined;
  readonly checkpointBytes: number | undefined;
  readonly restarts: number | undefined;
  readonly lagMs: number | undefined;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly engines: readonly ProcessMemory[];
  readonly workers: readonly ProcessMemory[];
}

/** What is compared at the end, and of what memory the rise is said. */
const MEMORY = [
  ...['engineBytes', 'engineLiveBytes', 'workerBytes', 'workerHeapUsed', 'workerKept'],
  ...['workerExternal', 'workerNative'],
] as const satisfies readonly (keyof Sample)[];
const COMPARED = [...MEMORY, 'checkpointBytes', 'lagMs', 'p50Ms', 'p99Ms'] as const;
const MEGABYTE = 1e6;
const SECONDS_PER_MINUTE = 60;

const out = resolve(options.out);
const signal = listenForStop();
const folder = await mkdtemp(join(tmpdir(), 'millrace-soak-'));
const directory = join(folder, 'data');
const told = join(folder, 'memory');
await mkdir(told);
await writeFile(out, '');
try {
  await soak();
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit();

async function soak(): Promise<void> {
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  for (const [key, definition] of Object.entries(WORKLOAD_METERS))
    await putMeter(stores.database, { namespace: LOCAL_FEED.namespace, key, definition });
  const mode = await startOnFlink({
    folder: join(folder, 'flink'),
    environment: { ...embeddedVariables(directory), NODE_OPTIONS: tellingOptions(told) },
    parallelism: Number(options.parallelism),
  });
  try {
    const load = { eventsPerSecond: Number(options.rate), subjects: SUBJECTS, startMs: Date.now() };
    const messages = await underLoad(stores, mode, load);
    await untilAcknowledged(stores.topic, READY_MS_MAX);
    await checkWorkload(directory, expectedOf(messages));
    await say({ ended: 'exact', messages });
  } catch (error) {
    process.exitCode = 1;
    await say({ ended: 'failed', error: String(error) });
  } finally {
    await mode.stop();
    await stores.close();
  }
}

async function underLoad(stores: LocalStores, mode: RunningMode, load: SteadyLoad): Promise<number> {
  await publishRange(stores.topic, load, { from: 0, to: 1 });
  await untilAcknowledged(stores.topic, READY_MS_MAX);
  const [began, samples] = [Date.now(), [] as Sample[]];
  let published = 1;
  for (const until = began + Number(options.minutes) * 60_000; Date.now() < until && !signal.aborted;) {
    const seconds = Math.min(SAMPLE_EVERY_MS, until - Date.now()) / 1_000;
    const sampling = async (from: number): Promise<Sample> => {
      await sleep(seconds * 500, undefined, { signal }).catch(() => undefined);
      return sampleOf(stores, mode, load, { seconds: (Date.now() - began) / 1_000, published: from });
    };
    const [past, sample] = await Promise.all([
      publishSteadily(stores.topic, load, { from: published, seconds, signal }),
      sampling(published),
    ]);
    published = past;
    samples.push(sample);
    await say(sample);
  }
  await say(comparison(samples));
  await say({ risePerMinute: rise(samples) });
  return published;
}

async function sampleOf(
  { database, warehouse }: LocalStores,
  mode: RunningMode,
  load: SteadyLoad,
  so: Pick<Sample, 'seconds' | 'published'>,
): Promise<Sample> {
  // The garbage collection below stands in nobody's way for long, but it comes after what is measured of events.
  const toMs = Date.now() - LOOK_BACK_MS;
  const asked = { fromMs: toMs - SAMPLE_EVERY_MS, toMs, subjects: subjectsLookedAt(load) };
  const delays = await delaysMs(warehouse, asked);
  const feed = (await readFeeds(database)).find((each) => each.feed === LOCAL_FEED.feed);
  const pids = await mode.pids();
  const [engines, workers] = [await memoryOfAll(pids.engine), await memoryOfAll(pids.workers)];
  const state = await mode.state();
  return {
    ...so,
    engineBytes: engines.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
    engineLiveBytes: state?.heapBytes,
    ...sumsOf(workers),
    checkpointBytes: state?.checkpointBytes,
    restarts: state?.restarts,
    lagMs: feed && (systemScheduler.now() - feed.committedThrough) / MICROS_PER_MILLI,
    p50Ms: quantile(delays, 0.5),
    p99Ms: quantile(delays, 0.99),
    ...{ engines, workers },
  };
}

function memoryOfAll(pids: readonly number[]): Promise<ProcessMemory[]> {
  return Promise.all(pids.map((pid) => memoryOf(pid, told)));
}

function sumsOf(workers: readonly ProcessMemory[]): WorkerSums {
  const sum = (bytesOf: (worker: ProcessMemory) => number | null | undefined): number | undefined =>
    workers.reduce<number | undefined>((total, worker) => {
      const bytes = bytesOf(worker) ?? undefined;
      return total === undefined || bytes === undefined ? undefined : total + bytes;
    }, 0);
  return {
    workerBytes: sum((worker) => worker.residentBytes),
    workerHeapUsed: sum((worker) => worker.heapUsedBytes),
    workerKept: sum((worker) => worker.keptBytes),
    workerExternal: sum((worker) => worker.externalBytes),
    workerNative: sum((worker) => worker.nativeBytes),
  };
}

/** Medians of the first samples after the warm-up, and of the last. */
function comparison(samples: readonly Sample[]): unknown {
  const compared = Math.max(1, Math.floor(samples.length * COMPARED_SHARE));
  const warm = Math.floor(samples.length * WARM_UP_SHARE);
  const of = (some: readonly Sample[]): Record<string, number> => {
    const median = (name: (typeof COMPARED)[number]): number =>
      quantile(
        some.flatMap((sample) => sample[name] ?? []).sort((a, b) => a - b),
        0.5,
      );
    return Object.fromEntries(COMPARED.map((name) => [name, median(name)]));
  };
  return { first: of(samples.slice(warm, warm + compared)), last: of(samples.slice(-compared)) };
}

/** By how many megabytes a minute memory rose in the second half: what is the same again and again, like the tooth of a saw, is not in it. */
function rise(samples: readonly Sample[]): Record<string, number> {
  const half = samples.slice(samples.length >> 1);
  const of = (name: (typeof MEMORY)[number]): number =>
    slopeOf(
      half.flatMap(({ seconds, [name]: bytes }) =>
        bytes === undefined ? [] : [[seconds / SECONDS_PER_MINUTE, bytes / MEGABYTE]],
      ),
    );
  return Object.fromEntries(MEMORY.map((name) => [name, Number(of(name).toFixed(3))]));
}

async function say(line: unknown): Promise<void> {
  await appendFile(out, `${JSON.stringify(line)}\n`);
}
