import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { localPaths } from '#infra/local/open-local.ts';
import { readFreshness } from '#infra/usage/watermark.ts';
import { eventually } from '#test/support/eventually.ts';
import { drained, inLocalDirectory, NAMESPACE, openStores } from '#test/support/local-stores.ts';
import { expectAgreement } from './agreement.ts';
import { startLoad } from './load.ts';
import { withSeed } from './seeds.ts';

async function copyOnline(path: string, copy: string): Promise<void> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    await backup(database, copy);
  } finally {
    database.close();
  }
}

describe('an older copy of the database that is put back', () => {
  it('gives the same state again, once the topic is sought back to the watermark in the copy', () =>
    inLocalDirectory((directory, cleanup) =>
      withSeed(async (draw) => {
        // What was a dead letter after the copy is one again, under the same message.
        const load = await startLoad(directory, cleanup, { draw, options: { events: 1_500 } });
        const { database } = localPaths(directory);
        const copy = join(directory, 'copy.db');
        await load.publish('before');
        await load.committed('before');
        await eventually(
          'a watermark is stored',
          async () => (await readFreshness(load.stores.database, NAMESPACE)) !== undefined,
        );
        // In the middle of the work, with messages pulled and not yet committed.
        const publishing = load.publish('during');
        await copyOnline(database, copy);
        await publishing;
        await load.publish('after');
        await load.finish();

        await load.stores.close();
        for (const file of [database, `${database}-wal`, `${database}-shm`]) await rm(file, { force: true });
        await copyFile(copy, database);
        const restored = await openStores(directory);
        cleanup.defer(() => restored.close());
        const freshness = await readFreshness(restored.database, NAMESPACE);
        expect(freshness).not.to.equal(undefined);
        await restored.topic.seek(freshness!.asOf);
        const pipeline = load.start();
        await pipeline.until('works again', ({ acknowledged_total: acknowledged }) => acknowledged > 0);
        await drained(restored);
        await pipeline.stop();
        await expectAgreement(restored, load.plan);
      }),
    ));
});
