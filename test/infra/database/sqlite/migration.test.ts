import { expect } from 'chai';
import { StoreError } from '#infra/database/errors.ts';
import { addColumn } from '#infra/database/sqlite/migration.ts';
import type { Migration } from '#infra/database/sqlite/migration.ts';
import { column, defineTable, nullable } from '#infra/database/table.ts';
import { collect, identity } from '#test/contract/database/support.ts';
import { withDirectory } from './temporary.ts';

const older = {
  thing: defineTable('thing', { columns: { name: column('string'), size: column('int64') }, key: ['name'] }),
  log: defineTable('log', {
    columns: { id: column('hash'), text: column('string') },
    key: ['id'],
    layout: { kind: 'appendOnly' },
  }),
};

const newer = {
  thing: defineTable('thing', {
    columns: {
      name: column('string'),
      size: column('int64'),
      colour: column('string'),
      note: nullable('string'),
    },
    key: ['name'],
    indexes: { byColour: { columns: ['colour'] } },
  }),
  log: defineTable('log', {
    columns: { id: column('hash'), text: column('string'), level: nullable('int64') },
    key: ['id'],
    layout: { kind: 'appendOnly' },
  }),
  added: defineTable('added', { columns: { name: column('string') }, key: ['name'] }),
};

const migrations: Migration[] = [
  {
    number: 2,
    name: 'things have a colour',
    up: (connection) => {
      addColumn(connection, newer.thing, 'colour', "it's grey");
      addColumn(connection, newer.thing, 'note');
    },
  },
  { number: 3, name: 'sizes are doubled', up: ['UPDATE thing SET size = size * 2'] },
];

function thrownBy(act: () => unknown): StoreError {
  try {
    act();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error('expected a StoreError');
}

const olderTables = [older.thing, older.log];
const newerTables = [newer.thing, newer.log, newer.added];

describe('migrations of a SQLite database', () => {
  it(
    'bring an older database to what is declared now, its rows with it, once',
    withDirectory(async (open) => {
      const before = open({ tables: olderTables });
      await before.transact(async (tx) => {
        tx.insert(older.thing, { name: 'a', size: 1 });
        tx.insert(older.log, { id: identity(1), text: 'old' });
      });
      await before.close();
      for (let time = 0; time < 2; time++) {
        const after = open({ tables: newerTables, migrations });
        const things = await collect(
          after.scan(newer.thing, { prefix: ["it's grey"] }, { index: 'byColour' }),
        );
        expect(things).to.deep.equal([{ name: 'a', size: 2, colour: "it's grey", note: null }]);
        expect(await after.read(newer.log, [[identity(1)]])).to.deep.equal([
          { id: identity(1), text: 'old', level: null },
        ]);
        await after.transact(async (tx) => {
          tx.upsert(newer.log, { id: identity(2), text: 'new', level: 3 });
          tx.upsert(newer.added, { name: 'x' });
        });
        expect((await after.read(newer.log, [[identity(2)]]))[0]?.level).to.equal(3);
        await after.close();
      }
    }),
  );

  it(
    'are not run on a new database, which has the newest tables at once',
    withDirectory(async (open) => {
      const first = open({ tables: newerTables, migrations });
      await first.transact(async (tx) =>
        tx.insert(newer.thing, { name: 'a', size: 1, colour: 'red', note: null }),
      );
      await first.close();
      const again = open({ tables: newerTables, migrations });
      expect((await again.read(newer.thing, [['a']]))[0]?.size).to.equal(1);
    }),
  );

  it(
    'refuse a database of a newer release, by name',
    withDirectory(async (open) => {
      await open({ tables: newerTables, migrations }).close();
      const refusal = thrownBy(() => open({ tables: newerTables, migrations: migrations.slice(0, 1) }));
      expect(refusal.kind).to.equal('SchemaTooNew');
      expect(refusal.message).to.contain('schema version 3').and.to.contain('knows 2');
    }),
  );

  it(
    'change nothing when one of them fails',
    withDirectory(async (open) => {
      await open({ tables: olderTables }).close();
      const failing = [migrations[0]!, { number: 3, name: 'broken', up: ['UPDATE nothing SET a = 1'] }];
      const failure = thrownBy(() => open({ tables: newerTables, migrations: failing }));
      expect(failure.kind).to.equal('StoreFailure');
      expect(failure.message).to.contain('migration 3 (broken) failed, nothing was changed');
      const database = open({ tables: olderTables });
      await database.transact(async (tx) => tx.insert(older.thing, { name: 'a', size: 1 }));
    }),
  );

  it(
    'are asked for when a column is declared that no migration adds',
    withDirectory(async (open) => {
      await open({ tables: olderTables }).close();
      const failure = thrownBy(() => open({ tables: newerTables }));
      expect(failure.message).to.contain('table thing lacks its column colour; a migration has to add it');
    }),
  );

  it(
    'are refused when their numbers have gaps',
    withDirectory(async (open) => {
      const failure = thrownBy(() => open({ tables: newerTables, migrations: migrations.slice(1) }));
      expect(failure.message).to.contain('is number 3, it should be 2');
    }),
  );

  it(
    'are asked for where rows are laid out in another way than declared, instead of not finding them',
    withDirectory(async (open) => {
      const columns = { name: column('string'), size: column('int64') };
      const before = open({ tables: [defineTable('thing', { columns, key: ['name'] })] });
      await before.close();
      const packed = defineTable('thing', {
        columns,
        key: ['name'],
        layout: { kind: 'partitioned', by: 'name' },
      });
      expect(thrownBy(() => open({ tables: [packed] })).message).to.contain('a migration has to move them');
    }),
  );

  it(
    'never let an append-only table lose or move a column, or gain one that older rows cannot have',
    withDirectory(async (open) => {
      await open({ tables: [newer.log] }).close();
      const columns = { id: column('hash'), level: nullable('int64'), text: column('string') };
      const declare = (of: typeof columns | object) =>
        defineTable('log', { columns: of as typeof columns, key: ['id'], layout: { kind: 'appendOnly' } });
      for (const bad of [
        columns,
        { id: columns.id, text: columns.text },
        { ...newer.log.columns, more: column('string') },
      ]) {
        expect(thrownBy(() => open({ tables: [declare(bad)] })).kind).to.equal('StoreFailure');
      }
    }),
  );
});
