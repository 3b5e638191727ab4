import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { localPaths, type LocalStores } from '#infra/local/open-local.ts';
import { storedThrough } from './stored-through.ts';
import { eventually } from '#test/support/eventually.ts';
import { drained, inLocalDirectory, openStores } from '#test/support/local-stores.ts';
import { expectAgreement } from './agreement.ts';
import {
  billEverything,
  faultsOfNumbers,
  invoicesOf,
  sellPlannedUsage,
  unprovedInvoices,
} from './billed-usage.ts';
import { expectSame } from './differences.ts';
import { startLoad } from './load.ts';
import { withSeed } from './seeds.ts';
import { lastRolledDay, pictureOf } from './usage-picture.ts';

const DAYS = 4;

async function copyOnline(path: string, copy: string): Promise<void> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    await backup(database, copy);
  } finally {
    database.close();
  }
}

async function putBack(directory: string, copy: string): Promise<LocalStores> {
  const { database } = localPaths(directory);
  for (const file of [database, `${database}-wal`, `${database}-shm`]) await rm(file, { force: true });
  await copyFile(copy, database);
  return openStores(directory);
}

/** The steps are those of docs/runbooks/disaster-recovery.md, in their order. */
describe('a database that is lost, and restored as it was some time ago', () => {
  it('comes to the same totals, cells and fingerprints, and keeps the numbers of its invoices', () =>
    inLocalDirectory((directory, cleanup) =>
      withSeed(async (draw) => {
        const options = { events: 1_200, days: DAYS, refusals: false, conflicts: false };
        const load = await startLoad(directory, cleanup, { draw, options });
        const { stores, plan } = load;
        await sellPlannedUsage(stores, DAYS);
        const copy = join(directory, 'copy.db');

        await load.publish('before');
        await load.committed('before');
        const published = Date.now() * 1_000;
        await eventually(
          'the watermark has passed what is published',
          async () => (await storedThrough(stores.database)) > published,
        );
        await billEverything(stores, 2);
        const issued = await invoicesOf(stores);
        expect(issued).not.to.be.empty;
        expect(issued.filter(({ state }) => state !== 'issued')).to.deep.equal([]);

        // The copy is of the middle of the work: messages are pulled and not yet committed.
        const publishing = load.publish('during');
        await copyOnline(localPaths(directory).database, copy);
        await publishing;
        await load.publish('after');
        await load.finish();
        const rolled = await lastRolledDay(stores.database);
        const before = await pictureOf(stores.database, plan, rolled);
        await stores.close();

        const restored = await putBack(directory, copy);
        cleanup.defer(() => restored.close());
        const through = await storedThrough(restored.database);
        for (const topic of Object.values(restored.topics)) await topic.seek(through);
        const pipeline = load.start();
        await pipeline.until('works again', ({ acknowledged_total: acknowledged }) => acknowledged > 0);
        await drained(restored);
        await eventually(
          'days are rolled as before',
          async () => (await lastRolledDay(restored.database)) >= rolled,
        );
        expect(await pipeline.stop(), pipeline.errorText()).to.deep.equal({ code: 0, signal: null });

        await expectAgreement(restored, plan);
        expectSame('usage after the recovery', await pictureOf(restored.database, plan, rolled), before);
        expect(await invoicesOf(restored)).to.deep.equal(issued);
        expect(await unprovedInvoices(restored)).to.deep.equal([]);

        // What has come since is billed now, under the numbers that follow.
        await billEverything(restored);
        const now = await invoicesOf(restored);
        expect(now.slice(0, issued.length)).to.deep.equal(issued);
        expect(now.length).to.be.above(issued.length);
        expect(await faultsOfNumbers(restored)).to.deep.equal([]);
        expect(await unprovedInvoices(restored)).to.deep.equal([]);
      }),
    ));
});
