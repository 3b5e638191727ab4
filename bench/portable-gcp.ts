import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineUnavailable } from '#infra/engines/engine.ts';
import { summarise } from './figure.ts';
import { startCloud, type BenchCloud } from './gcp/fresh-cloud.ts';
import { runUsageGraph } from './gcp/usage-graph.ts';
import { measureMode, report, SUBJECTS, type BenchPortable, type PeerMode } from './portable.ts';
import { startOnFlink } from './portable-modes.ts';
import { openEmulatedStores } from './portable-stores.ts';
import { expectedOf, messageAt } from './steady-load.ts';

const NAME = 'Flink on the emulators';
const PARALLELISM = 1;

/**
 * The usage graph as a streaming job of a Flink mini cluster on the emulators of Pub/Sub, Spanner and BigQuery, which are started here. What limits it is how
 * fast Spanner's emulator commits, one transaction at a time: so it stands beside the same backlog worked off by one process of a fleet, on the
 * same emulators in the same run. What cannot be had is said, and nothing is measured then.
 */
export async function benchPortableGcp(options: BenchPortable): Promise<void> {
  const cloud = await startCloud((line) => console.log(line));
  if (cloud === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-portable-gcp-'));
  try {
    const peer = await measureFleet(cloud, options);
    const stores = await openEmulatedStores(await cloud.fresh());
    const { environment } = stores;
    const start = () => startOnFlink({ folder, environment, parallelism: PARALLELISM });
    report(NAME, await measureMode(stores, start, options), options, peer);
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    console.log(`portable-gcp: not run: ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await cloud.stop();
  }
}

/** The same backlog through the same graph in this process, as a worker of a fleet works it off. */
async function measureFleet(
  cloud: BenchCloud,
  { backlog, eventsPerSecond, record }: BenchPortable,
): Promise<PeerMode> {
  const load = { eventsPerSecond, subjects: SUBJECTS, startMs: Date.now() };
  const lines = Array.from({ length: backlog }, (_, at) => messageAt(at, load).data.toString());
  const fresh = await cloud.fresh();
  try {
    const { wallSeconds } = await runUsageGraph(fresh, { lines, ...expectedOf(backlog) });
    const figure = summarise('a worker of a fleet on the emulators: a backlog, worked off', 'events/s', [
      backlog / wallSeconds,
    ]);
    record(figure);
    return { name: figure.name, backlogPerSecond: figure.value };
  } finally {
    await fresh.close();
  }
}
