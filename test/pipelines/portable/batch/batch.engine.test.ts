import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Aggregation } from '#domain/metering/accumulator.ts';
import type { Engine } from '#infra/engines/engine.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { runBatch, runJobOn } from '#pipelines/portable/batch/run.ts';
import { openTestFlink, openTestPrism, useEngine } from '#test/support/engines.ts';
import { inLocalDirectory, openStores } from '#test/support/local-stores.ts';
import { processWorkers } from '#test/infra/engines/jobs.ts';
import {
  copyScene,
  makeScene,
  moveWatermark,
  runEmbedded,
  spoil,
  writtenRows,
  type Scene,
} from './batch-scene.ts';

const log = createLog('warn');

/** The watermark moves some times a second, as where a pipeline runs: workers wait for it. */
const MOVE_EVERY_MS = 200;

async function runOn(engine: Engine, scene: Scene): Promise<Record<string, string[]>> {
  const stores = await openStores(scene.directory);
  const ended = new AbortController();
  const moving = (async () => {
    while (!ended.signal.aborted) {
      await moveWatermark(stores);
      await systemScheduler.sleep(MOVE_EVERY_MS, ended.signal);
    }
  })();
  const environment = processWorkers({ MILLRACE_BACKEND: 'embedded', MILLRACE_DATA_DIR: scene.directory });
  const runtime = { ...stores, scheduler: systemScheduler, signal: ended.signal, log };
  const on = { ...runtime, runJob: runJobOn({ engine, environment }) };
  try {
    await runBatch({ ...on, what: 'backfill' });
    await spoil(stores, scene);
    await runBatch({ ...on, what: 'reconcile' });
    return await writtenRows(stores);
  } finally {
    ended.abort();
    await moving;
    await stores.close();
  }
}

const agrees = (engine: () => Engine, aggregations: readonly Aggregation[]) => () =>
  inLocalDirectory(async (directory) => {
    const scene = await makeScene(join(directory, 'scene'), aggregations);
    const expected = await runEmbedded(await copyScene(scene, 'embedded'));
    const written = await runOn(engine(), await copyScene(scene, 'elsewhere'));
    for (const [table, rows] of Object.entries(expected)) {
      expect(rows, table).not.to.be.empty;
      expect(written[table], table).to.deep.equal(rows);
    }
  });

/*
 * All aggregations cross the wire in the same packed cells; that the graphs agree for each of them is held in this process, by `batch-graphs.test.ts`. What
 * takes the time here is the number of jobs: two for each backfill, one for each version that is reconciled.
 */
const PATIENCE_MS = 300_000;

describe('batch operations on Prism', () => {
  const prism = useEngine(openTestPrism);

  it(
    'write what the embedded engine writes, to the last byte: cells, distinct values, groups, copies, conflicts, voids, late events, shards',
    agrees(prism, ['timeWeightedSum', 'unique']),
  ).timeout(PATIENCE_MS);
});

describe('batch operations on Flink', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-flink-batch-'));
  const flink = useEngine(() => openTestFlink('mini', folder));
  after(() => rmSync(folder, { recursive: true, force: true }));

  // Each of its jobs starts a cluster of its own: so one meter, which has cells and distinct values.
  it(
    'write what the embedded engine writes, to the last byte: cells, distinct values, voids, late events, shards',
    agrees(flink, ['unique']),
  ).timeout(PATIENCE_MS);
});
