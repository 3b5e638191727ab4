import { expect } from 'chai';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { cellRow, collect, factRow, identity, plainRow, upsertAll } from './support.ts';
import type { WithDatabase } from './support.ts';
import { cell, fact, plain } from './tables.ts';

const keyOf = (name: string) => ['default', name];

export function snapshotsContract(withDatabase: WithDatabase): void {
  describe('snapshots', () => {
    it(
      'show the newest state when they were taken, in every table, whatever is committed afterwards',
      withDatabase(async ({ database }) => {
        await upsertAll(database, plain, [plainRow('a', { rank: 1 })]);
        await upsertAll(database, cell, [cellRow('a', 1)]);
        await upsertAll(database, fact, [factRow(1, { committedAt: 1 })]);
        const snapshot = await database.snapshot();
        await database.transact(async (tx) => {
          tx.upsert(plain, plainRow('a', { rank: 2 }));
          tx.insert(plain, plainRow('b'));
          tx.upsert(cell, cellRow('a', 1, { total: 9 }));
          tx.upsert(cell, cellRow('a', 2));
          tx.update(fact, { identity: identity(1), subject: 'changed' });
          tx.insert(fact, factRow(2, { committedAt: 2 }));
        });
        // What the process remembers of the newer state must not show through.
        expect(await database.read(fact, [[identity(2)]])).to.deep.equal([factRow(2, { committedAt: 2 })]);
        expect(await snapshot.read(plain, [keyOf('a'), keyOf('b')])).to.deep.equal([
          plainRow('a', { rank: 1 }),
          undefined,
        ]);
        expect(await collect(snapshot.scan(plain, { prefix: [] }))).to.deep.equal([
          plainRow('a', { rank: 1 }),
        ]);
        expect(await collect(snapshot.scan(cell, { prefix: ['default'] }))).to.deep.equal([cellRow('a', 1)]);
        expect(await snapshot.read(fact, [[identity(1)], [identity(2)]])).to.deep.equal([
          factRow(1, { committedAt: 1 }),
          undefined,
        ]);
        await snapshot.close();
      }),
    );

    it(
      'see every commit that ended before they were taken',
      withDatabase(async ({ database }) => {
        for (let rank = 0; rank < 20; rank++) {
          await upsertAll(database, plain, [plainRow('counter', { rank })]);
          const [row] = await inSnapshot(database, (snapshot) => snapshot.read(plain, [keyOf('counter')]));
          expect(row?.rank).to.equal(rank);
        }
      }),
    );

    it(
      'tell which commits they have: those up to their time, and no later one',
      withDatabase(async ({ database }) => {
        const commit = (rank: number) => upsertAll(database, plain, [plainRow('counter', { rank })]);
        let at = await inSnapshot(database, async (snapshot) => snapshot.at);
        for (let rank = 0; rank < 5; rank++) {
          const committedAt = await commit(rank);
          expect(committedAt).to.be.above(at);
          at = await inSnapshot(database, async (snapshot) => snapshot.at);
          expect(at).to.be.at.least(committedAt);
        }
        const snapshot = await database.snapshot();
        const later = await commit(5);
        expect(snapshot.at).to.be.below(later);
        await snapshot.close();
      }),
    );

    it(
      'show rows that move together together, however many reads and scans go on side by side',
      withDatabase(async ({ database }) => {
        const total = (rows: readonly ({ total: number } | undefined)[]): number =>
          rows.reduce((sum, row) => sum + (row?.total ?? 0), 0);
        const keys = [
          ['default', 'a', 1, ''],
          ['default', 'b', 2, ''],
        ];
        await upsertAll(database, cell, [cellRow('a', 1, { total: 50 }), cellRow('b', 2, { total: 50 })]);
        const moves = Array.from({ length: 20 }, (_, i) =>
          upsertAll(database, cell, [cellRow('a', 1, { total: i }), cellRow('b', 2, { total: 100 - i })]),
        );
        const sums = Array.from({ length: 20 }, () =>
          inSnapshot(database, async (snapshot) => {
            const [first] = await snapshot.read(cell, keys.slice(0, 1));
            const scanned = await collect(snapshot.scan(cell, { prefix: ['default'] }));
            const [second] = await snapshot.read(cell, keys.slice(1));
            return [total([first, second]), total(scanned)];
          }),
        );
        await Promise.all(moves);
        expect(new Set((await Promise.all(sums)).flat())).to.deep.equal(new Set([100]));
      }),
    );

    it(
      'wait for each other rather than fail when very many are wanted at once, and leave room for other reads',
      withDatabase(async ({ database }) => {
        await upsertAll(database, plain, [plainRow('a')]);
        const open = await Promise.all(Array.from({ length: 8 }, () => database.snapshot()));
        const wanted = Array.from({ length: 200 }, () =>
          inSnapshot(database, (snapshot) => snapshot.read(plain, [keyOf('a')])),
        );
        expect(await database.read(plain, [keyOf('a')])).to.deep.equal([plainRow('a')]);
        for (const snapshot of open) await snapshot.close();
        for (const rows of await Promise.all(wanted)) expect(rows).to.deep.equal([plainRow('a')]);
      }),
    );

    it(
      'answer nothing once they are closed, and may be closed twice and in the middle of a scan',
      withDatabase(async ({ database }) => {
        await upsertAll(database, plain, [plainRow('a'), plainRow('b')]);
        const snapshot = await database.snapshot();
        const rows = snapshot.scan(plain, { prefix: [] })[Symbol.asyncIterator]();
        expect((await rows.next()).value).to.deep.equal(plainRow('a'));
        await snapshot.close();
        await snapshot.close();
        const error = await snapshot.read(plain, [keyOf('a')]).catch((thrown: unknown) => thrown);
        expect(error).to.have.property('kind', 'StoreFailure');
        await upsertAll(database, plain, [plainRow('after')]);
      }),
    );
  });
}
