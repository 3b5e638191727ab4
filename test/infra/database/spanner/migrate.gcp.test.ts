import { expect } from 'chai';
import type { Database } from '#infra/database/database.ts';
import { migrateSpanner } from '#infra/database/spanner/migrate.ts';
import type { SpannerMigration } from '#infra/database/spanner/migrate.ts';
import { openSpanner } from '#infra/database/spanner/open.ts';
import { addColumnDdl } from '#infra/database/spanner/ddl.ts';
import { column, defineTable, nullable } from '#infra/database/table.ts';
import type { Table } from '#infra/database/table.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { expectRejection } from '#test/contract/database/support.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { spannerAddress } from '#test/support/spanner-database.ts';

const note = defineTable('note', { columns: { id: column('string'), text: column('string') }, key: ['id'] });
/** As a later release declares it. */
const laterNote = defineTable('note', {
  columns: { id: column('string'), text: column('string'), author: nullable('string') },
  key: ['id'],
  indexes: { byAuthor: { columns: ['author'] } },
});
const ownedNote = defineTable('note', {
  columns: { id: column('string'), text: column('string'), owner: column('string') },
  key: ['id'],
});
const laterTable = defineTable('later', { columns: { id: column('string') }, key: ['id'] });

const fillOwner: SpannerMigration = {
  number: 2,
  name: 'notes have owners',
  up: async (database) => {
    await database.transact(async (tx) => {
      for await (const { id } of tx.scan(note, { prefix: [] })) {
        tx.update<{ id: string; text: string; owner: string }>(ownedNote, { id, owner: 'nobody' });
      }
    });
  },
};

describe('the schema of a database on the Spanner emulator', () => {
  const emulators = useEmulators(['spanner']);
  let made = 0;
  let database: string;
  beforeEach(() => {
    database = `${emulators.spannerDatabase}-m${++made}`;
  });
  const options = (tables: readonly Table<object>[], migrations: readonly SpannerMigration[] = []) => ({
    ...spannerAddress(emulators, database),
    tables,
    migrations,
    clock: systemScheduler.now,
  });
  const within = async (tables: readonly Table<object>[], work: (opened: Database) => Promise<void>) => {
    const opened = await openSpanner(options(tables));
    try {
      await work(opened);
    } finally {
      await opened.close();
    }
  };

  it('is made with the instance and the database, of all tables there are; the second time nothing is left to do', async () => {
    const report = await migrateSpanner(options(CLOUD_TABLES));
    expect(report).to.deep.include({ from: 0, to: 1 });
    expect(report.statements).to.be.at.least(CLOUD_TABLES.length);
    expect(await migrateSpanner(options(CLOUD_TABLES))).to.deep.equal({ from: 1, to: 1, statements: 0 });
    await within(CLOUD_TABLES, async () => undefined);
  });

  it('is made once by any number of processes that start together', async () => {
    const reports = await Promise.all(
      Array.from({ length: 4 }, () => migrateSpanner(options([note, laterTable]))),
    );
    expect(reports.reduce((sum, { statements }) => sum + statements, 0)).to.equal(2);
    await within([note, laterTable], async (opened) => {
      await opened.transact(async (tx) => tx.insert(note, { id: 'a', text: 't' }));
      expect(await opened.read(note, [['a']])).to.deep.equal([{ id: 'a', text: 't' }]);
    });
  });

  it('grows by tables, indexes and columns that may be null, and serves the release before meanwhile', async () => {
    await migrateSpanner(options([note]));
    await within([note], async (before) => {
      await before.transact(async (tx) => tx.insert(note, { id: 'a', text: 't' }));
      await expectRejection(openSpanner(options([laterNote, laterTable])), 'StoreFailure');
      expect(await migrateSpanner(options([laterNote, laterTable]))).to.include({ statements: 3 });
      await before.transact(async (tx) => tx.upsert(note, { id: 'b', text: 't' }));
    });
    await within([laterNote, laterTable], async (after) => {
      const rows = await after.read(laterNote, [['a'], ['b']]);
      expect(rows.map((row) => row?.author)).to.deep.equal([null, null]);
    });
    await within([note], async () => undefined);
  });

  it('takes a column that older rows have nothing in by a migration only', async () => {
    await migrateSpanner(options([note]));
    const error = await expectRejection(migrateSpanner(options([ownedNote])), 'StoreFailure');
    expect(error.message).to.include('table note lacks its column owner; a migration has to add it');
  });

  it('is taken through the migrations it has not had, in their order, and a database that is new through none', async () => {
    await migrateSpanner(options([note]));
    await within(
      [note],
      async (before) => void (await before.transact(async (tx) => tx.insert(note, { id: 'a', text: 't' }))),
    );
    const addOwner: SpannerMigration = {
      number: 2,
      name: 'notes may have an author',
      up: [addColumnDdl(laterNote, 'author')],
    };
    const rename: SpannerMigration = {
      number: 3,
      name: 'authors are known',
      up: async (opened) =>
        void (await opened.transact(async (tx) => tx.update(laterNote, { id: 'a', author: 'ann' }))),
    };
    expect(await migrateSpanner(options([laterNote], [addOwner, rename]))).to.deep.include({
      from: 1,
      to: 3,
    });
    const opened = await openSpanner(options([laterNote], [addOwner, rename]));
    expect((await opened.read(laterNote, [['a']]))[0]?.author).to.equal('ann');
    await opened.close();
    database = `${database}b`;
    const never: SpannerMigration = { ...rename, up: async () => expect.fail('it ran') };
    expect(await migrateSpanner(options([laterNote], [addOwner, never]))).to.deep.include({ from: 0, to: 3 });
  });

  it('stays where it was when a migration fails, and goes on from there', async () => {
    await migrateSpanner(options([note]));
    const failing: SpannerMigration = { ...fillOwner, up: async () => Promise.reject(new Error('no room')) };
    const error = await expectRejection(migrateSpanner(options([note], [failing])), 'StoreFailure');
    expect(error.message).to.match(/migration 2 \(notes have owners\) failed.*no room/);
    await within([note], async () => undefined);
    const mended: SpannerMigration = { ...fillOwner, up: [] };
    expect(await migrateSpanner(options([note], [mended]))).to.include({ from: 1, to: 2 });
  });

  it('of a newer release is refused, by those who migrate and by those who open', async () => {
    const second: SpannerMigration = { ...fillOwner, up: [] };
    await migrateSpanner(options([note], [second]));
    await expectRejection(migrateSpanner(options([note])), 'SchemaTooNew');
    await expectRejection(openSpanner(options([note])), 'SchemaTooNew');
  });

  it('is refused while it is not migrated, and so is a migration with a wrong number', async () => {
    await migrateSpanner(options([note]));
    await expectRejection(openSpanner(options([note], [{ ...fillOwner, up: [] }])), 'StoreFailure');
    await expectRejection(migrateSpanner(options([note], [{ ...fillOwner, number: 3 }])), 'StoreFailure');
  });
});
