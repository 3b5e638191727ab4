import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
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
import { embeddedVariables, residentOf, startOnFlink, type RunningMode } from './portable-modes.ts';
import {
  delaysMs,
  expectedOf,
  publishRange,
  publishSteadily,
  untilAcknowledged,
  type SteadyLoad,
} from './steady-load.ts';
import { WORKLOAD_METERS } from './workload.ts';

/**
 * `node bench/portable-soak.ts --minutes 60 --rate 200 --out soak.jsonl`: a steady load through the usage job on a Flink mini cluster, with the embedded
 * stores. Every 30 seconds a line of JSON says what the processes hold and how late events are. Ends by itself, or when it is told to, with the
 * totals checked against the load's own count and a last line that compares the first samples with the last. Exit code 1 when totals are wrong.
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

interface Sample {
  readonly seconds: number;
  readonly published: number;
  readonly engineBytes: number;
  readonly workerBytes: number;
  readonly heapBytes: number | undefined;
  readonly checkpointBytes: number | undefined;
  readonly restarts: number | undefined;
  readonly lagMs: number | undefined;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const out = resolve(options.out);
const signal = listenForStop();
const folder = await mkdtemp(join(tmpdir(), 'millrace-soak-'));
const directory = join(folder, 'data');
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
    environment: embeddedVariables(directory),
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
    const publishing = publishSteadily(stores.topic, load, { from: published, seconds, signal });
    await sleep(seconds * 500, undefined, { signal }).catch(() => undefined);
    const sample = await sampleOf(stores, mode, { seconds: (Date.now() - began) / 1_000, published });
    published = await publishing;
    samples.push(sample);
    await say(sample);
  }
  await say(comparison(samples));
  return published;
}

async function sampleOf(
  { database, warehouse }: LocalStores,
  mode: RunningMode,
  so: Pick<Sample, 'seconds' | 'published'>,
): Promise<Sample> {
  // The garbage collection below stands in nobody's way for long, but it comes after what is measured of events.
  const toMs = Date.now() - LOOK_BACK_MS;
  const delays = await delaysMs(warehouse, { fromMs: toMs - SAMPLE_EVERY_MS, toMs });
  const feed = (await readFeeds(database)).find((each) => each.feed === LOCAL_FEED.feed);
  const { engine, workers } = await residentOf(mode);
  const state = await mode.state();
  return {
    ...so,
    ...{ engineBytes: engine, workerBytes: workers },
    heapBytes: state?.heapBytes,
    checkpointBytes: state?.checkpointBytes,
    restarts: state?.restarts,
    lagMs: feed && (systemScheduler.now() - feed.committedThrough) / MICROS_PER_MILLI,
    p50Ms: quantile(delays, 0.5),
    p99Ms: quantile(delays, 0.99),
  };
}

/** Medians of the first samples after the warm-up, and of the last. */
function comparison(samples: readonly Sample[]): unknown {
  const compared = Math.max(1, Math.floor(samples.length * COMPARED_SHARE));
  const warm = Math.floor(samples.length * WARM_UP_SHARE);
  const of = (some: readonly Sample[]): Record<string, number> => {
    const median = (name: keyof Sample): number =>
      quantile(
        some.map((sample) => sample[name] ?? NaN).sort((a, b) => a - b),
        0.5,
      );
    return Object.fromEntries(
      (
        ['engineBytes', 'workerBytes', 'heapBytes', 'checkpointBytes', 'lagMs', 'p50Ms', 'p99Ms'] as const
      ).map((name) => [name, median(name)]),
    );
  };
  return { first: of(samples.slice(warm, warm + compared)), last: of(samples.slice(-compared)) };
}

async function say(line: unknown): Promise<void> {
  await appendFile(out, `${JSON.stringify(line)}\n`);
}
