import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { StoreError } from '#infra/database/errors.ts';
import type { SqliteDatabase } from '#infra/database/sqlite/open.ts';
import { column, defineTable } from '#infra/database/table.ts';
import { expectRejection, identity } from '#test/contract/database/support.ts';
import { withDirectory } from './temporary.ts';
import { DAYS, allTables, daily, happening, hourly } from './tables.ts';
import { MICROS_PER_DAY } from '#domain/instant.ts';

const NOBODY = 65_534;

const blob = defineTable('blob', {
  columns: { name: column('string'), content: column('bytes'), day: column('int64') },
  key: ['name'],
  timeToLive: { column: 'day', days: DAYS, unit: 'days' },
});

function thrownBy(act: () => unknown): StoreError {
  try {
    act();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error('expected a StoreError');
}

/** Permissions do not bind the superuser, so a test that runs as one acts as somebody else for a moment. */
async function unprivileged(act: () => Promise<void>): Promise<void> {
  const superuser = process.geteuid?.() === 0;
  if (superuser) process.seteuid?.(NOBODY);
  try {
    await act();
  } finally {
    if (superuser) process.seteuid?.(0);
  }
}

describe('a SQLite database that fails', () => {
  it(
    'says so when its directory is read-only, and works once that is mended',
    withDirectory(async (open, path) => {
      const directory = `${dirname(path)}/inner`;
      await mkdir(directory);
      await chmod(dirname(path), 0o755);
      await chmod(directory, 0o555);
      await unprivileged(async () => {
        const failure = thrownBy(() => open({ tables: allTables, path: `${directory}/millrace.db` }));
        expect(failure.kind).to.equal('StoreFailure');
        expect(failure.message).to.contain('may be written');
      });
      await chmod(directory, 0o777);
      await unprivileged(async () => {
        const database = open({ tables: allTables, path: `${directory}/millrace.db` });
        await database.transact(async (tx) => tx.upsert(daily, { name: 'a', closedDay: null }));
        await database.close();
      });
    }),
  );

  it(
    'fails while it is full, loses nothing, and goes on once there is room, with the same handle',
    withDirectory(async (open) => {
      const database = open({ tables: [blob, happening], maxBytes: 1_000_000 });
      const write = (name: string) =>
        database.transact(async (tx) => {
          tx.insert(happening, { identity: identity(name), subject: name, state: 'live', committedAt: 0 });
          tx.insert(blob, { name, content: new Uint8Array(100_000), day: name.length });
        });
      const written: string[] = [];
      const fill = async (): Promise<void> => {
        for (let i = 0; i < 100; i++) {
          await write(`blob ${i}`);
          written.push(`blob ${i}`);
        }
      };
      const failure = await expectRejection(fill(), 'StoreFailure');
      expect(failure.message).to.contain('make room');
      await expectRejection(write('another'), 'StoreFailure');
      const there = await database.read(
        happening,
        [...written, 'another'].map((name) => [identity(name)]),
      );
      expect(there.map((row) => row?.subject)).to.deep.equal([...written, undefined]);

      expect(await database.expire((DAYS + 100) * MICROS_PER_DAY)).to.be.greaterThan(0);
      await write('another');
      expect((await database.read(happening, [[identity('another')]]))[0]?.subject).to.equal('another');
    }),
  );

  it(
    'says so when the file is no database',
    withDirectory(async (open, path) => {
      await writeFile(path, 'this is no database, but long enough to be looked at as one'.repeat(100));
      const failure = thrownBy(() => open({ tables: allTables }));
      expect(failure.kind).to.equal('StoreFailure');
      expect(failure.message).to.contain('not a database');
    }),
  );

  it(
    'says so when a table or column is not there, and when it is closed',
    withDirectory(async (open) => {
      const database = open({ tables: [daily] });
      await expectRejection(database.read(hourly, [['a', 1]]), 'StoreFailure');
      await expectRejection(
        database.transact(async (tx) =>
          tx.upsert(hourly, { subject: 'a', hour: 1, total: 1, changedAt: 0, note: null }),
        ),
        'StoreFailure',
      );
      await database.close();
      await expectRejection(database.read(daily, [['a']]), 'StoreFailure');
      await expectRejection(
        database.transact(async () => undefined),
        'StoreFailure',
      );
    }),
  );

  it(
    'refuses the use of a transaction whose work is over, and closes the scans it left open',
    withDirectory(async (open) => {
      const database = open({ tables: [daily] });
      await database.transact(async (tx) =>
        ['a', 'b', 'c'].forEach((name) => tx.upsert(daily, { name, closedDay: null })),
      );
      const { result: kept } = await database.transact(async (tx) => {
        const scan = tx.scan(daily, { prefix: [] })[Symbol.asyncIterator]();
        expect((await scan.next()).value).to.deep.equal({ name: 'a', closedDay: null });
        return { tx, scan };
      });
      await expectRejection(kept.tx.read(daily, [['a']]), 'StoreFailure');
      await expectRejection(kept.scan.next(), 'StoreFailure');
      expect(() => kept.tx.delete(daily, ['a'])).to.throw(StoreError);
      await database.transact(async (tx) => tx.delete(daily, ['a']));
    }),
  );

  it(
    'waits for the transaction of another handle, while its own reads go on',
    withDirectory(async (open) => {
      const [one, other]: SqliteDatabase[] = [open({ tables: [daily] }), open({ tables: [daily] })];
      const gate = Promise.withResolvers<undefined>();
      const holding = one!.transact(async (tx) => {
        tx.upsert(daily, { name: 'a', closedDay: 1 });
        await gate.promise;
      });
      const waiting = other!.transact(async (tx) => tx.read(daily, [['a']]));
      expect(await other!.read(daily, [['a']])).to.deep.equal([undefined]);
      gate.resolve(undefined);
      await holding;
      expect((await waiting).result).to.deep.equal([{ name: 'a', closedDay: 1 }]);
    }),
  );
});
