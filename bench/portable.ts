import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineUnavailable } from '#infra/engines/engine.ts';
import { quantile } from '#pipelines/demo/quantile.ts';
import { summarise, type Figure } from './figure.ts';
import { residentBytesOf, startEmbedded, startOnFlink } from './portable-modes.ts';
import type { EngineState, ResidentBytes, RunningMode } from './portable-modes.ts';
import { openEmbeddedStores, type PortableStores } from './portable-stores.ts';
import { cpuMicrosOfAll } from './processes.ts';
import { delaysMs, expectedOf, publishRange, publishSteadily, type SteadyLoad } from './steady-load.ts';

/** What a mode is given. */
export interface PortableLoad {
  readonly eventsPerSecond: number;
  /** Of the steady load that is measured. */
  readonly seconds: number;
  /** Published at once, to see how fast they are worked off. */
  readonly backlog: number;
}

export interface BenchPortable extends PortableLoad {
  readonly record: (figure: Figure) => void;
}

export const SUBJECTS = 1_000;
const PARALLELISM = [1, 2];
/** Compilers of both languages have seen the work by then. */
const WARM_UP_SECONDS = 10;
const READY_MS_MAX = 90_000;
const WORKED_OFF_MS_MAX = 300_000;
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
    const directory = join(folder, 'embedded');
    const embedded = await measureMode(
      await openEmbeddedStores(directory),
      () => startEmbedded(directory),
      options,
    );
    report('embedded', embedded, options);
    const peer = { name: 'embedded', ...embedded };
    for (const parallelism of PARALLELISM) {
      const stores = await openEmbeddedStores(join(folder, `stores-${parallelism}`));
      const { environment } = stores;
      const start = (): Promise<RunningMode> =>
        startOnFlink({ folder: join(folder, `flink-${parallelism}`), environment, parallelism });
      report(`Flink, parallelism ${parallelism}`, await measureMode(stores, start, options), options, peer);
    }
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    console.log(`portable: not run: ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What was seen of one mode. */
export interface ModeMeasured {
  readonly delaysMs: readonly number[];
  /** CPU microseconds for each event of the steady load. */
  readonly engineMicros: number;
  readonly workerMicros: number;
  readonly backlogPerSecond: number;
  readonly residentBytes: ResidentBytes;
  readonly states: readonly EngineState[];
}

/** Closes the stores at the end. */
export async function measureMode(
  stores: PortableStores,
  start: () => Promise<RunningMode>,
  options: PortableLoad,
): Promise<ModeMeasured> {
  try {
    const mode = await start();
    try {
      const { measured, messages } = await measureLoads(stores, mode, options);
      await stores.check(expectedOf(messages));
      return measured;
    } finally {
      await mode.stop();
    }
  } finally {
    await stores.close();
  }
}

async function measureLoads(
  stores: PortableStores,
  mode: RunningMode,
  { eventsPerSecond, seconds, backlog }: PortableLoad,
): Promise<{ readonly measured: ModeMeasured; readonly messages: number }> {
  const { topic, warehouse } = stores;
  const load: SteadyLoad = { eventsPerSecond, subjects: SUBJECTS, startMs: Date.now() };
  // The first message finds out when the mode is up.
  await publishRange(topic, load, { from: 0, to: 1 });
  await stores.workedOff(load.startMs, READY_MS_MAX);
  const warm = await publishSteadily(topic, load, { from: 1, seconds: WARM_UP_SECONDS });
  await stores.workedOff(load.startMs, WORKED_OFF_MS_MAX);
  const stateBefore = await stateAtRest(mode);
  const [before, fromMs] = [await cpuOf(mode), Date.now()];
  const steady = await publishSteadily(topic, load, { from: warm, seconds });
  const [after, toMs] = [await cpuOf(mode), Date.now()];
  await stores.workedOff(fromMs, WORKED_OFF_MS_MAX);
  const backlogPerSecond = await workOff(stores, load, { from: steady, to: steady + backlog });
  const stateAfter = await stateAtRest(mode);
  const residentBytes = await residentBytesOf(mode);
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

/** Messages a second, from the first publish until the last is worked off. */
async function workOff(
  stores: PortableStores,
  load: SteadyLoad,
  range: { readonly from: number; readonly to: number },
): Promise<number> {
  const beganMs = Date.now();
  await publishRange(stores.topic, load, range);
  const endedMs = await stores.workedOff(beganMs, WORKED_OFF_MS_MAX);
  return (range.to - range.from) / ((endedMs - beganMs) / 1_000);
}

async function cpuOf(mode: RunningMode): Promise<{ readonly engine: number; readonly workers: number }> {
  const { engine, workers } = await mode.pids();
  return { engine: await cpuMicrosOfAll(engine), workers: await cpuMicrosOfAll(workers) };
}

/** Another way to do the same, measured in the same run. */
export interface PeerMode extends Partial<Pick<ModeMeasured, 'workerMicros'>> {
  readonly name: string;
  readonly backlogPerSecond: number;
}

export function report(
  name: string,
  measured: ModeMeasured,
  { eventsPerSecond, record }: Pick<BenchPortable, 'eventsPerSecond' | 'record'>,
  peer?: PeerMode,
): void {
  const rate = `${eventsPerSecond.toLocaleString('en-US')} events/s`;
  const one = (what: string, unit: string, value: number): Figure =>
    summarise(`${name}: ${what}`, unit, [value]);
  record(one(`publish -> commit at ${rate}, p50`, 'ms', quantile(measured.delaysMs, 0.5)));
  record(one(`publish -> commit at ${rate}, p99`, 'ms', quantile(measured.delaysMs, 0.99)));
  const ofPeer = (what: 'workerMicros' | 'backlogPerSecond'): Pick<Figure, 'peer' | 'ratio'> =>
    peer?.[what] === undefined ? {} : { peer: peer.name, ratio: measured[what] / peer[what] };
  const workers = one(`CPU of workers at ${rate}`, 'µs/event', measured.workerMicros);
  record({ ...workers, ...ofPeer('workerMicros') });
  record({
    ...one('a backlog, worked off', 'events/s', measured.backlogPerSecond),
    ...ofPeer('backlogPerSecond'),
  });
  record(one('memory of workers', 'MB', measured.residentBytes.workers / MEGABYTE));
  const [first, last] = [measured.states.at(0), measured.states.at(-1)];
  if (first === undefined || last === undefined) return;
  record(one(`CPU of the engine at ${rate}`, 'µs/event', measured.engineMicros));
  record(one('memory of the engine', 'MB', measured.residentBytes.engine / MEGABYTE));
  record(one('heap that is used, before', 'MB', first.heapBytes / MEGABYTE));
  record(one('heap that is used, after', 'MB', last.heapBytes / MEGABYTE));
  record(one('checkpoint, before', 'kB', (first.checkpointBytes ?? NaN) / 1_000));
  record(one('checkpoint, after', 'kB', (last.checkpointBytes ?? NaN) / 1_000));
}
