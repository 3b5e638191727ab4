import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'chai';
import { openBackfills } from '#infra/backfill/backfill.ts';
import { openReconciliations } from '#infra/reconcile/reconciliations.ts';
import { workOnBackfill } from '#pipelines/backfill/work-on-backfill.ts';
import { workOnReconciliation } from '#pipelines/reconcile/work-on-reconciliation.ts';
import type { RunJob } from '#pipelines/portable/batch/batch-job.ts';
import { createDistributedBatch } from '#pipelines/portable/batch/distributed-batch.ts';
import { batchRuntimes } from '#pipelines/portable/batch/runtime.ts';
import { inLocalDirectory, openStores } from '#test/support/local-stores.ts';
import {
  copyScene,
  makeScene,
  runEmbedded,
  schedulerOf,
  spoil,
  writtenRows,
  type Scene,
} from './batch-scene.ts';
import { inProcess } from './losing-engine.ts';

/** Does everything that is open, by jobs that run here, on the batch engine. */
async function runHere(scene: Scene, runJob: RunJob): Promise<Record<string, string[]>> {
  const stores = await openStores(scene.directory);
  const scheduler = schedulerOf(stores);
  const runtime = { ...stores, scheduler };
  const runtimeName = randomUUID();
  try {
    return await batchRuntimes.during(runtimeName, runtime, async () => {
      const elsewhere = createDistributedBatch({ ...runtime, runJob, runtimeName, partsPerJob: 5 });
      for (const name of await openBackfills(stores.database))
        await workOnBackfill(stores, { ...name, worker: 'w', scheduler, ...elsewhere });
      await spoil(stores, scene);
      for (const name of await openReconciliations(stores.database))
        await workOnReconciliation(stores, { ...name, worker: 'w', scheduler, ...elsewhere });
      return writtenRows(stores);
    });
  } finally {
    await stores.close();
  }
}

describe('the batch graphs of a distributed engine', () => {
  it('write what the embedded engine writes, to the last byte, also when a job is run again that has done all', () =>
    inLocalDirectory(async (directory) => {
      const scene = await makeScene(join(directory, 'scene'));
      const expected = await runEmbedded(await copyScene(scene, 'embedded'));
      let jobs = 0;
      const twice: RunJob = async (name, build, signal) => {
        await inProcess(name, build, signal);
        // Everything was done, and nobody was told: the next one finds it done.
        if (++jobs % 3 === 1) await inProcess(name, build, signal);
      };
      const written = await runHere(await copyScene(scene, 'here'), twice);
      for (const [table, rows] of Object.entries(expected)) {
        expect(rows, table).not.to.be.empty;
        expect(written[table], table).to.deep.equal(rows);
      }
    })).timeout(240_000);
});
