import { expect } from 'chai';
import { commitTimestamp } from '#infra/database/table.ts';
import {
  cellRow,
  collect,
  entryRow,
  expectRejection,
  factRow,
  identity,
  plainRow,
  upsertAll,
} from './support.ts';
import type { WithDatabase } from './support.ts';
import { cell, entry, fact, plain } from './tables.ts';

const counterKey = ['default', 'counter'];

export function transactionsContract(withDatabase: WithDatabase): void {
  describe('transactions', () => {
    it(
      'leave nothing of a work that fails, in any table, and pass its error on',
      withDatabase(async ({ database }) => {
        const failure = new Error('the work gave up');
        const done = database.transact(async (tx) => {
          tx.upsert(plain, plainRow('a'));
          tx.upsert(cell, cellRow('a', 1));
          tx.insert(fact, factRow(1));
          await tx.read(plain, [['default', 'a']]);
          throw failure;
        });
        expect(await done.catch((error: unknown) => error)).to.equal(failure);
        expect(await database.read(plain, [['default', 'a']])).to.deep.equal([undefined]);
        expect(await database.read(cell, [['default', 'a', 1, '']])).to.deep.equal([undefined]);
        expect(await database.read(fact, [[identity(1)]])).to.deep.equal([undefined]);
        await database.transact(async (tx) => tx.insert(fact, factRow(1)));
      }),
    );

    it(
      'leave nothing of writes to other tables when one write is refused at the commit',
      withDatabase(async ({ database }) => {
        await upsertAll(database, fact, [factRow(1, { committedAt: 1 })]);
        await expectRejection(
          database.transact(async (tx) => {
            tx.upsert(plain, plainRow('a'));
            tx.upsert(cell, cellRow('a', 1));
            tx.insert(fact, factRow(2));
            tx.insert(fact, factRow(1));
          }),
          'AlreadyExists',
        );
        expect(await database.read(plain, [['default', 'a']])).to.deep.equal([undefined]);
        expect(await database.read(cell, [['default', 'a', 1, '']])).to.deep.equal([undefined]);
        expect(await database.read(fact, [[identity(1)], [identity(2)]])).to.deep.equal([
          factRow(1, { committedAt: 1 }),
          undefined,
        ]);
      }),
    );

    it(
      'do not show their own writes to their own reads',
      withDatabase(async ({ database }) => {
        await upsertAll(database, plain, [plainRow('a', { rank: 1 })]);
        const { result } = await database.transact(async (tx) => {
          tx.upsert(plain, plainRow('a', { rank: 2 }));
          tx.insert(plain, plainRow('b'));
          tx.insert(fact, factRow(1));
          const read = await tx.read(plain, [
            ['default', 'a'],
            ['default', 'b'],
          ]);
          const scanned = await collect(tx.scan(plain, { prefix: ['default'] }));
          return { read, scanned, facts: await tx.read(fact, [[identity(1)]]) };
        });
        const before = plainRow('a', { rank: 1 });
        expect(result).to.deep.equal({ read: [before, undefined], scanned: [before], facts: [undefined] });
      }),
    );

    it(
      'have commit times that rise strictly, are later than what they saw, and equal the rows’ own',
      withDatabase(async ({ database }) => {
        const times: number[] = [];
        for (let i = 0; i < 30; i++) {
          times.push(await upsertAll(database, fact, [factRow(i)]));
        }
        // Only those that have a row in common are sure to have different times.
        const some = await Promise.all(
          Array.from({ length: 10 }, async (_, i) => {
            const { committedAt } = await database.transact(async (tx) => {
              tx.upsert(fact, factRow(100 + i));
              tx.upsert(plain, plainRow('shared', { rank: i }));
            });
            return committedAt;
          }),
        );
        const all = [...times, ...some];
        const keys = [...times.keys(), ...some.map((_, i) => 100 + i)].map((i) => [identity(i)]);
        const rows = await database.read(fact, keys);
        expect(rows.map((row) => row?.committedAt)).to.deep.equal(all);
        expect(times).to.deep.equal(times.toSorted((a, b) => a - b));
        expect(new Set(all).size).to.equal(all.length);
        expect(Math.min(...some)).to.be.greaterThan(Math.max(...times));
      }),
    );

    it(
      'fill in the time of the commit by insert, upsert and update',
      withDatabase(async ({ database }) => {
        await upsertAll(database, fact, [factRow(1, { committedAt: 5 })]);
        const { committedAt } = await database.transact(async (tx) => {
          tx.update(fact, { identity: identity(1), committedAt: commitTimestamp });
          tx.insert(fact, factRow(2));
        });
        const rows = await database.read(fact, [[identity(1)], [identity(2)]]);
        expect(rows.map((row) => row?.committedAt)).to.deep.equal([committedAt, committedAt]);
      }),
    );

    it(
      'refuse the time of the commit in a column that is not declared for it, in each layout',
      withDatabase(async ({ database }) => {
        const { time, ...rest } = factRow(1);
        for (const table of [fact, entry]) {
          const row =
            table === fact ? { ...rest, time: commitTimestamp } : entryRow('a', 0, { at: commitTimestamp });
          await expectRejection(
            database.transact(async (tx) => tx.insert<object>(table, row)),
            'StoreFailure',
          );
        }
        expect(time).to.not.equal(commitTimestamp);
        expect(await database.read(fact, [[identity(1)]])).to.deep.equal([undefined]);
      }),
    );

    it(
      'lose no increment of many that run at once',
      withDatabase(async ({ database }) => {
        await upsertAll(database, plain, [plainRow('counter', { rank: 0 })]);
        const increments = Array.from({ length: 40 }, () =>
          database.transact(async (tx) => {
            const [row] = await tx.read(plain, [counterKey]);
            // Gives the others every chance to come in between.
            await Promise.resolve();
            tx.update(plain, { namespace: 'default', name: 'counter', rank: (row?.rank ?? 0) + 1 });
          }),
        );
        await Promise.all(increments);
        const [row] = await database.read(plain, [counterKey]);
        expect(row?.rank).to.equal(40);
      }),
    );

    it(
      'let just one of many inserts of a key through',
      withDatabase(async ({ database }) => {
        const inserts = Array.from({ length: 20 }, (_, i) =>
          database
            .transact(async (tx) => tx.insert(fact, factRow('same', { committedAt: i })))
            .then(
              () => i,
              () => undefined,
            ),
        );
        const through = (await Promise.all(inserts)).filter((i) => i !== undefined);
        expect(through).to.have.length(1);
        const [row] = await database.read(fact, [[identity('same')]]);
        expect(row?.committedAt).to.equal(through[0]);
      }),
    );

    it(
      'see at most one state: sums over rows that move together never change',
      withDatabase(async ({ database }) => {
        await upsertAll(database, cell, [cellRow('a', 1, { total: 50 }), cellRow('b', 2, { total: 50 })]);
        const keys = [
          ['default', 'a', 1, ''],
          ['default', 'b', 2, ''],
        ];
        const transfer = (amount: number) =>
          database.transact(async (tx) => {
            const [a, b] = await tx.read(cell, keys);
            if (a === undefined || b === undefined) throw new Error('a row is gone');
            expect(a.total + b.total).to.equal(100);
            tx.upsert(cell, { ...a, total: a.total - amount });
            tx.upsert(cell, { ...b, total: b.total + amount });
          });
        const sum = async () =>
          (await database.read(cell, keys)).reduce((total, row) => total + (row?.total ?? 0), 0);
        const sums = Array.from({ length: 20 }, async (_, i) => {
          await transfer(i);
          return sum();
        });
        expect(new Set(await Promise.all(sums))).to.deep.equal(new Set([100]));
      }),
    );

    it(
      'answer the result of their work, and may write nothing',
      withDatabase(async ({ database }) => {
        const committedAt = await upsertAll(database, plain, [plainRow('a')]);
        const read = await database.transact(async (tx) => tx.read(plain, [['default', 'a']]));
        expect(read.result).to.deep.equal([plainRow('a')]);
        expect(read.committedAt).to.be.at.least(committedAt);
        const later = await upsertAll(database, plain, [plainRow('b')]);
        expect(later).to.be.greaterThan(committedAt);
      }),
    );

    it(
      'take a batch of many rows in each layout',
      withDatabase(async ({ database }) => {
        const count = 3_000;
        await database.transact(async (tx) => {
          for (let i = 0; i < count; i++) {
            tx.insert(fact, factRow(i, { committedAt: i }));
            tx.upsert(cell, cellRow(`subject ${i % 50}`, i, { total: i }));
            tx.upsert(plain, plainRow(String(i)));
          }
        });
        const numbers = [0, 255, 256, 257, count - 1];
        const facts = await database.read(
          fact,
          numbers.map((i) => [identity(i)]),
        );
        expect(facts.map((row) => row?.committedAt)).to.deep.equal(numbers);
        expect(await collect(database.scan(plain, { prefix: ['default'] }))).to.have.length(count);
        expect(await collect(database.scan(cell, { prefix: ['default'] }))).to.have.length(count);
      }),
    );
  });
}
