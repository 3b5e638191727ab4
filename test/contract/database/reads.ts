import { expect } from 'chai';
import { cellRow, factRow, identity, plainRow, upsertAll } from './support.ts';
import type { WithDatabase } from './support.ts';
import { cell, fact, plain } from './tables.ts';

export function readsContract(withDatabase: WithDatabase): void {
  describe('reads', () => {
    it(
      'answers many keys in their order, the same key twice, and undefined where there is no row',
      withDatabase(async ({ database }) => {
        const rows = Array.from({ length: 300 }, (_, i) => plainRow(`row ${i}`, { rank: i }));
        await upsertAll(database, plain, rows);
        const keys = [
          ...rows.map(({ name }) => ['default', name]),
          ['default', 'none'],
          ['other', 'row 1'],
        ].reverse();
        const expected = [...rows, undefined, undefined].reverse();
        expect(await database.read(plain, keys)).to.deep.equal(expected);
        const twice = await database.read(plain, [
          ['default', 'row 7'],
          ['default', 'row 7'],
        ]);
        expect(twice).to.deep.equal([rows[7], rows[7]]);
      }),
    );

    it(
      'finds rows of partitioned and append-only tables by key, and only those',
      withDatabase(async ({ database }) => {
        const facts = Array.from({ length: 700 }, (_, i) =>
          factRow(i, { committedAt: i, subject: `subject ${i % 9}` }),
        );
        await upsertAll(database, cell, [cellRow('a', 1), cellRow('a', 2), cellRow('b', 1)]);
        await upsertAll(database, fact, facts);
        expect(
          await database.read(cell, [
            ['default', 'b', 2, ''],
            ['default', 'b', 1, ''],
            ['default', 'a', 2, ''],
          ]),
        ).to.deep.equal([undefined, cellRow('b', 1), cellRow('a', 2)]);
        const keys = Array.from({ length: 800 }, (_, i) => [identity(i)]);
        expect(await database.read(fact, keys)).to.deep.equal([
          ...facts,
          ...new Array<undefined>(100).fill(undefined),
        ]);
      }),
    );

    it(
      'answers no keys with no rows',
      withDatabase(async ({ database }) => {
        expect(await database.read(plain, [])).to.deep.equal([]);
      }),
    );

    it(
      'shows a commit to every read that starts after it',
      withDatabase(async ({ database }) => {
        for (let rank = 0; rank < 20; rank++) {
          await upsertAll(database, plain, [plainRow('counter', { rank })]);
          const [row] = await database.read(plain, [['default', 'counter']]);
          expect(row?.rank).to.equal(rank);
        }
      }),
    );

    it(
      'reads the state as of a commit when given its time',
      withDatabase(async ({ database }) => {
        const at = await upsertAll(database, plain, [plainRow('a', { rank: 1 })]);
        expect(await database.read(plain, [['default', 'a']], { at })).to.deep.equal([
          plainRow('a', { rank: 1 }),
        ]);
      }),
    );

    it(
      'has the same rows after it was closed and opened again',
      withDatabase(async ({ database, reopen }) => {
        if (reopen === undefined) return;
        await upsertAll(database, plain, [plainRow('a')]);
        await upsertAll(database, cell, [cellRow('a', 5)]);
        await upsertAll(database, fact, [factRow(1, { committedAt: 9 })]);
        const again = await reopen();
        expect(await again.read(plain, [['default', 'a']])).to.deep.equal([plainRow('a')]);
        expect(await again.read(cell, [['default', 'a', 5, '']])).to.deep.equal([cellRow('a', 5)]);
        expect(await again.read(fact, [[identity(1)], [identity(2)]])).to.deep.equal([
          factRow(1, { committedAt: 9 }),
          undefined,
        ]);
      }),
    );
  });
}
