import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { EngineUnavailable } from '#infra/engines/engine.ts';
import { LOCAL_FEED, openLocal, type LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { quantile } from '#pipelines/demo/quantile.ts';
import { checkWorkload } from './ingest.ts';
import { summarise, type Figure } from './figure.ts';
import { embeddedVariables, residentOf, startEmbedded, startOnFlink } from './portable-modes.ts';
import type { EngineState, Resident, RunningMode } from './portable-modes.ts';
import { cpuMicrosOfAll } from './processes.ts';
import {
  delaysMs,
  expectedOf,
  publishRange,
  publishSteadily,
  untilAcknowledged,
  type SteadyLoad,
} from './steady-load.ts';
import { WORKLOAD_METERS } from './workload.ts';

export interface BenchPortable {
  readonly eventsPerSecond: number;
  /** Of the steady load that is measured. */
  readonly seconds: number;
  /** Published at once, to see how fast they are worked off. */
  readonly backlog: number;
  readonly record: (figure: Figure) => void;
}

const SUBJECTS = 1_000;
const PARALLELISM = [1, 2];
/** Compilers of both languages have seen the work by then. */
const WARM_UP_SECONDS = 10;
const READY_MS_MAX = 90_000;
const WORKED_OFF_MS_MAX = 120_000;
/** Longer than the job's interval and what a checkpoint takes. */
const CHECKPOINT_WRITTEN_MS = 8_000;
const MEGABYTE = 1e6;

/**
 * The same events through the same graph on the embedded stores: by the pipeline of the embedded default, and as a streaming job of a Flink mini cluster.
 * Each is warmed up, gets a steady load, then a backlog; totals are checked against the load's own count before a figure is believed.
 */
export async function benchPortable(options: BenchPortable): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-portable-bench-'));
  try {
    const embedded = await measureMode('embedded', folder, startEmbedded, options);
    report('embedded', embedded, options);
    for (const parallelism of PARALLELISM) {
      const name = `Flink, parallelism ${parallelism}`;
      const start = (directory: string): Promise<RunningMode> =>
        startOnFlink({
          folder: join(folder, `flink-${parallelism}`),
          environment: embeddedVariables(directory),
          parallelism,
        });
      report(name, await measureMode(name, folder, start, options), options, embedded);
    }
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    console.log(`portable: not run: ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What was seen of one mode. */
interface ModeMeasured {
  readonly delaysMs: readonly number[];
  /** CPU microseconds for each event of the steady load. */
  readonly engineMicros: number;
  readonly workerMicros: number;
  readonly backlogPerSecond: number;
  readonly residentBytes: Resident;
  readonly states: readonly EngineState[];
}

type Start = (directory: string) => Promise<RunningMode>;

async function measureMode(
  name: string,
  folder: string,
  start: Start,
  options: BenchPortable,
): Promise<ModeMeasured> {
  const directory = join(folder, name.replaceAll(/\W+/g, '-'));
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  try {
    for (const [key, definition] of Object.entries(WORKLOAD_METERS))
      await putMeter(stores.database, { namespace: LOCAL_FEED.namespace, key, definition });
    const mode = await start(directory);
    try {
      const { measured, messages } = await measureLoads(stores, mode, options);
      await checkWorkload(directory, expectedOf(messages));
      return measured;
    } finally {
      await mode.stop();
    }
  } finally {
    await stores.close();
  }
}

async function measureLoads(
  { topic, warehouse }: LocalStores,
  mode: RunningMode,
  { eventsPerSecond, seconds, backlog }: BenchPortable,
): Promise<{ readonly measured: ModeMeasured; readonly messages: number }> {
  const load: SteadyLoad = { eventsPerSecond, subjects: SUBJECTS, startMs: Date.now() };
  // The first message finds out when the mode is up.
  await publishRange(topic, load, { from: 0, to: 1 });
  await untilAcknowledged(topic, READY_MS_MAX);
  const warm = await publishSteadily(topic, load, { from: 1, seconds: WARM_UP_SECONDS });
  await untilAcknowledged(topic, WORKED_OFF_MS_MAX);
  const stateBefore = await stateAtRest(mode);
  const [before, fromMs] = [await cpuOf(mode), Date.now()];
  const steady = await publishSteadily(topic, load, { from: warm, seconds });
  const [after, toMs] = [await cpuOf(mode), Date.now()];
  await untilAcknowledged(topic, WORKED_OFF_MS_MAX);
  const backlogPerSecond = await workOff(topic, load, { from: steady, to: steady + backlog });
  const stateAfter = await stateAtRest(mode);
  const residentBytes = await residentOf(mode);
  const delays = await delaysMs(warehouse, { fromMs, toMs });
  return {
    messages: steady + backlog,
    measured: {
      ...{ delaysMs: delays, backlogPerSecond, residentBytes },
      engineMicros: (after.engine - before.engine) / (steady - warm),
      workerMicros: (after.workers - before.workers) / (steady - warm),
      states: [stateBefore, stateAfter].filter((state) => state !== undefined),
    },
  };
}

/** When a checkpoint has been written that holds no events, so that what grows from one to the next is a leak. */
async function stateAtRest(mode: RunningMode): Promise<EngineState | undefined> {
  if (!mode.hasState) return undefined;
  await sleep(CHECKPOINT_WRITTEN_MS);
  return mode.state();
}

/** Messages a second, from the first publish to the last acknowledgement. */
async function workOff(
  topic: LocalStores['topic'],
  load: SteadyLoad,
  range: { readonly from: number; readonly to: number },
): Promise<number> {
  const began = performance.now();
  await publishRange(topic, load, range);
  await untilAcknowledged(topic, WORKED_OFF_MS_MAX);
  return (range.to - range.from) / ((performance.now() - began) / 1_000);
}

async function cpuOf(mode: RunningMode): Promise<{ readonly engine: number; readonly workers: number }> {
  const { engine, workers } = await mode.pids();
  return { engine: await cpuMicrosOfAll(engine), workers: await cpuMicrosOfAll(workers) };
}

function report(
  name: string,
  measured: ModeMeasured,
  { eventsPerSecond, record }: BenchPortable,
  embedded?: ModeMeasured,
): void {
  const rate = `${eventsPerSecond.toLocaleString('en-US')} events/s`;
  const one = (what: string, unit: string, value: number): Figure =>
    summarise(`${name}: ${what}`, unit, [value]);
  record(one(`publish -> commit at ${rate}, p50`, 'ms', quantile(measured.delaysMs, 0.5)));
  record(one(`publish -> commit at ${rate}, p99`, 'ms', quantile(measured.delaysMs, 0.99)));
  const ofEmbedded = (what: 'workerMicros' | 'backlogPerSecond'): Pick<Figure, 'peer' | 'ratio'> =>
    embedded === undefined ? {} : { peer: 'embedded', ratio: measured[what] / embedded[what] };
  const workers = one(`CPU of workers at ${rate}`, 'µs/event', measured.workerMicros);
  record({ ...workers, ...ofEmbedded('workerMicros') });
  record({
    ...one('a backlog, worked off', 'events/s', measured.backlogPerSecond),
    ...ofEmbedded('backlogPerSecond'),
  });
  record(one('memory of workers', 'MB', measured.residentBytes.workers / MEGABYTE));
  if (embedded === undefined) return;
  record(one(`CPU of the engine at ${rate}`, 'µs/event', measured.engineMicros));
  record(one('memory of the engine', 'MB', measured.residentBytes.engine / MEGABYTE));
  const [first, last] = [measured.states.at(0), measured.states.at(-1)];
  if (first === undefined || last === undefined) return;
  record(one('heap that is used, before', 'MB', first.heapBytes / MEGABYTE));
  record(one('heap that is used, after', 'MB', last.heapBytes / MEGABYTE));
  record(one('checkpoint, before', 'kB', (first.checkpointBytes ?? NaN) / 1_000));
  record(one('checkpoint, after', 'kB', (last.checkpointBytes ?? NaN) / 1_000));
}
