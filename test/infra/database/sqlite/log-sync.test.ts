import { fstatSync, statSync } from 'node:fs';
import { expect } from 'chai';
import type { SyncFile } from '#infra/database/sqlite/log-sync.ts';
import type { SqliteDatabase } from '#infra/database/sqlite/open.ts';
import { expectRejection } from '#test/contract/database/support.ts';
import { daily } from './tables.ts';
import { withDirectory } from './temporary.ts';

/** A disk whose syncs end one by one, when the test says so. */
function slowDisk() {
  const syncs: PromiseWithResolvers<undefined>[] = [];
  const syncFile: SyncFile = () => {
    const sync = Promise.withResolvers<undefined>();
    syncs.push(sync);
    return sync.promise;
  };
  return { syncs, syncFile };
}

const write = (database: SqliteDatabase, name: string) =>
  database.transact(async (tx) => tx.upsert(daily, { name, closedDay: null }));

const isThere = async (database: SqliteDatabase, name: string): Promise<boolean> =>
  (await database.read(daily, [[name]]))[0] !== undefined;

/** Whether it has settled once everything that waits for nothing outside has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => void (settled = true);
  promise.then(settle, settle);
  await new Promise(setImmediate);
  return settled;
}

describe('the log of a SQLite database', () => {
  it(
    'is synced before a transaction is confirmed, and the next one runs meanwhile',
    withDirectory(async (open) => {
      const { syncs, syncFile } = slowDisk();
      const database = open({ tables: [daily], syncFile });
      const first = write(database, 'a');
      expect(await isSettled(first)).to.equal(false);
      const others = [write(database, 'b'), write(database, 'c')];
      expect(await isSettled(others[1]!)).to.equal(false);
      expect(await isThere(database, 'c')).to.equal(true);
      expect(syncs).to.have.length(1);

      syncs[0]?.resolve(undefined);
      await first;
      // Both were committed while the first sync was under way, which may have missed them: they share one of their own.
      expect(await isSettled(Promise.all(others))).to.equal(false);
      expect(syncs).to.have.length(2);
      syncs[1]?.resolve(undefined);
      await Promise.all(others);
    }),
  );

  it(
    'is synced before a transaction says what it found, or that it failed',
    withDirectory(async (open) => {
      const { syncs, syncFile } = slowDisk();
      const database = open({ tables: [daily], syncFile });
      const writing = write(database, 'a');
      const reading = database.transact((tx) => tx.read(daily, [['a']]));
      const failing = expectRejection(
        database.transact(async (tx) => tx.insert(daily, { name: 'a', closedDay: null })),
        'AlreadyExists',
      );
      expect(await isSettled(Promise.race([writing, reading, failing]))).to.equal(false);
      syncs[0]?.resolve(undefined);
      await writing;
      await isSettled(reading);
      syncs[1]?.resolve(undefined);
      expect((await reading).result[0]).to.deep.equal({ name: 'a', closedDay: null });
      await failing;
    }),
  );

  it(
    'is not synced again for transactions that find nothing new',
    withDirectory(async (open) => {
      const { syncs, syncFile } = slowDisk();
      const database = open({ tables: [daily], syncFile });
      const writing = write(database, 'a');
      await isSettled(writing);
      syncs[0]?.resolve(undefined);
      await writing;
      await database.transact((tx) => tx.read(daily, [['a']]));
      expect(syncs).to.have.length(1);
    }),
  );

  it(
    'is synced for what another process has committed, before a transaction says that it is there',
    withDirectory(async (open) => {
      const other = open({ tables: [daily] });
      await write(other, 'a');
      const { syncs, syncFile } = slowDisk();
      const database = open({ tables: [daily], syncFile });
      const reading = database.transact((tx) => tx.read(daily, [['a']]));
      expect(await isSettled(reading)).to.equal(false);
      expect(syncs).to.have.length(1);
      syncs[0]?.resolve(undefined);
      await reading;
    }),
  );

  it(
    'that the disk did not take leaves the outcome unknown, and nothing is confirmed until the database is opened again',
    withDirectory(async (open) => {
      const { syncs, syncFile } = slowDisk();
      const database = open({ tables: [daily], syncFile });
      const refusals = [write(database, 'a'), write(database, 'b')].map((writing) =>
        expectRejection(writing, 'UnknownOutcome'),
      );
      await isSettled(Promise.all(refusals));
      syncs[0]?.reject(new Error('EIO'));
      await Promise.all(refusals);

      const failure = await expectRejection(write(database, 'c'), 'StoreFailure');
      expect(failure.message).to.contain('start again');
      expect(await isThere(database, 'c')).to.equal(false);
      expect(syncs).to.have.length(1);
      await database.close();
      await write(open({ tables: [daily] }), 'c');
    }),
  );

  it(
    'is the file that SQLite writes to, also after all of it was moved into the database',
    withDirectory(async (open, path) => {
      const synced: boolean[] = [];
      const syncFile: SyncFile = async (file) =>
        void synced.push(fstatSync(file).ino === statSync(`${path}-wal`).ino);
      const database = open({ tables: [daily], syncFile });
      await write(database, 'a');
      const other = open({ tables: [daily] });
      await write(other, 'b');
      await other.close();
      await write(database, 'c');
      expect(synced).to.deep.equal([true, true]);
    }),
  );
});
