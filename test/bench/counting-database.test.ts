import { expect } from 'chai';
import { countWork } from '#bench/counting-database.ts';
import { column, defineTable } from '#infra/database/table.ts';
import { openTemporary } from '#test/infra/database/sqlite/temporary.ts';

const thing = defineTable('thing', {
  columns: { id: column('string'), kind: column('string'), size: column('int64') },
  key: ['id'],
  indexes: { byKind: { columns: ['kind'] } },
});

describe('counting what transactions do', () => {
  it('takes reads side by side for one trip, reads that wait for each other for several, and an empty one for none', async () => {
    const { database, close } = await openTemporary([thing]);
    const { database: counted, counts } = countWork(database);
    await counted.transact(async (tx) => {
      await Promise.all([tx.read(thing, [['a'], ['b']]), tx.read(thing, [['c']]), tx.read(thing, [])]);
      await Array.fromAsync(tx.scan(thing, { prefix: [] }));
      tx.insert(thing, { id: 'a', kind: 'k', size: 1 });
      tx.delete(thing, ['b']);
    });
    // Three columns and an index entry, and a row with an index entry.
    expect(counts).to.deep.include({ commits: 1, rows: 2, mutations: 6, mutationsMax: 6 });
    expect(counts).to.deep.include({ reads: 3, trips: 2, tripsMax: 2 });
    await close();
  });

  it('counts of work that ran again only the run that was committed', async () => {
    const { database, close } = await openTemporary([thing]);
    const again = {
      ...database,
      transact: async <Result>(work: Parameters<typeof database.transact<Result>>[0]) => {
        await database.transact(work);
        return database.transact(work);
      },
    };
    const { database: counted, counts } = countWork(again);
    await counted.transact(async (tx) => {
      await tx.read(thing, [['a']]);
      tx.upsert(thing, { id: 'a', kind: 'k', size: 1 });
    });
    expect(counts).to.deep.include({ commits: 1, rows: 1, reads: 1, trips: 1 });
    await close();
  });
});
