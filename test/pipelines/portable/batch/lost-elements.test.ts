import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'chai';
import { openBackfills } from '#infra/backfill/backfill.ts';
import { openReconciliations, readReconciliation } from '#infra/reconcile/reconciliations.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { workOnBackfill } from '#pipelines/backfill/work-on-backfill.ts';
import { workOnReconciliation } from '#pipelines/reconcile/work-on-reconciliation.ts';
import type { RunJob } from '#pipelines/portable/batch/batch-job.ts';
import { createDistributedBatch } from '#pipelines/portable/batch/distributed-batch.ts';
import { batchRuntimes } from '#pipelines/portable/batch/runtime.ts';
import { inLocalDirectory, openStores } from '#test/support/local-stores.ts';
import { askToReconcile, copyScene, makeScene, schedulerOf, writtenRows, type Scene } from './batch-scene.ts';
import { inProcess, losing, type Fault } from './losing-engine.ts';

/** Longer than any lease: what a failed attempt had claimed is free again. */
const LATER_MICROS = 120_000_000;

/** Works on what is open of one kind, once; a failure is the answer. */
async function attempt(
  stores: LocalStores,
  { what, runJob, attempts }: { what: 'backfill' | 'reconcile'; runJob: RunJob; attempts: number },
): Promise<unknown> {
  const plain = schedulerOf(stores);
  const scheduler = { ...plain, now: () => plain.now() + attempts * LATER_MICROS };
  const runtime = { ...stores, scheduler };
  const runtimeName = randomUUID();
  const work = { worker: 'w', scheduler, ...createDistributedBatch({ ...runtime, runJob, runtimeName }) };
  return batchRuntimes.during(runtimeName, runtime, async () => {
    try {
      if (what === 'backfill')
        for (const name of await openBackfills(stores.database))
          await workOnBackfill(stores, { ...name, ...work });
      else
        for (const name of await openReconciliations(stores.database))
          await workOnReconciliation(stores, { ...name, ...work });
      return undefined;
    } catch (error) {
      return error;
    }
  });
}

const LOST = /lost or repeated elements|was not reported/;

const FAULTS: Readonly<Record<string, Fault>> = {
  'pieces of cells on their way to hour cells': { step: 'hour cells', every: 7, times: 0 },
  'one piece of a cell': { step: 'hour cells', every: 1_000_000, times: 0 },
  'a piece of a cell that comes twice': { step: 'hour cells', every: 1_000_000, times: 2 },
  'pieces of distinct values': { step: 'references', every: 11, times: 0 },
  'cells on their way to their subjects': { step: 'by subject', every: 5, times: 0 },
  'all cells, and all that is said of subjects': { step: 'by subject', every: 1, times: 0 },
};

const OF_RECONCILIATIONS: typeof FAULTS = {
  ...FAULTS,
  'a shard of a day': { step: 'deal out', every: 1_000_000, times: 0 },
  'what was read of a day': { step: 'by day', every: 9, times: 0 },
};

/** Counts on an engine with each fault, which must fail, and then on a sound one; returns what is written. */
async function countWith({ directory }: Scene, faults: readonly Fault[]): Promise<Record<string, string[]>> {
  const stores = await openStores(directory);
  try {
    let attempts = 0;
    for (const fault of faults) {
      const error = await attempt(stores, { what: 'backfill', runJob: losing(fault), attempts: attempts++ });
      expect(String(error), JSON.stringify(fault)).to.match(LOST);
    }
    expect(await attempt(stores, { what: 'backfill', runJob: inProcess, attempts })).to.equal(undefined);
    return await writtenRows(stores);
  } finally {
    await stores.close();
  }
}

describe('an engine that loses or repeats elements', () => {
  it('makes a reconciliation fail, with no cell repaired and its days not reported; a sound one goes on and finds nothing', () =>
    inLocalDirectory(async (directory) => {
      const scene = await makeScene(join(directory, 'scene'), ['unique']);
      const stores = await openStores(scene.directory);
      try {
        let attempts = 0;
        expect(await attempt(stores, { what: 'backfill', runJob: inProcess, attempts })).to.equal(undefined);
        const name = await askToReconcile(stores, scene);
        const { usage_hour: hours, distinct_value: values } = await writtenRows(stores);
        for (const [what, fault] of Object.entries(OF_RECONCILIATIONS)) {
          const error = await attempt(stores, {
            what: 'reconcile',
            runJob: losing(fault),
            attempts: ++attempts,
          });
          expect(String(error), what).to.match(LOST);
          const { usage_hour: now, distinct_value: valuesNow } = await writtenRows(stores);
          expect([now, valuesNow], what).to.deep.equal([hours, values]);
          const { state, differences } = await readReconciliation(stores.database, name);
          expect([state, differences], what).to.deep.equal(['running', 0]);
        }
        const last = { what: 'reconcile', runJob: inProcess, attempts: ++attempts } as const;
        expect(await attempt(stores, last)).to.equal(undefined);
        const { state, compared, differences } = await readReconciliation(stores.database, name);
        expect([state, differences]).to.deep.equal(['done', 0]);
        expect(compared).to.be.above(0);
      } finally {
        await stores.close();
      }
    })).timeout(240_000);

  it('makes a backfill fail, with the parts open that it touched; a sound one writes what it would have written', () =>
    inLocalDirectory(async (directory) => {
      const scene = await makeScene(join(directory, 'scene'), ['unique']);
      const expected = await countWith(await copyScene(scene, 'sound'), []);
      for (const [place, [what, fault]] of Object.entries(FAULTS).entries())
        expect(await countWith(await copyScene(scene, String(place)), [fault]), what).to.deep.equal(expected);
    })).timeout(240_000);
});
