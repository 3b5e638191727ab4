import { expect } from 'chai';
import { MICROS_PER_DAY, MICROS_PER_HOUR } from '#domain/instant.ts';
import { collect, expectRejection, identity } from '#test/contract/database/support.ts';
import { withDirectory } from './temporary.ts';
import { DAYS, allTables, daily, happening, hourly } from './tables.ts';

const happeningRow = (of: number, committedAt: number, state = 'live') => ({
  identity: identity(of),
  subject: 'acme',
  state,
  committedAt,
});
const hourlyRow = (hour: number) => ({ subject: 'a', hour, total: 1, changedAt: 0, note: null });

describe('time to live on SQLite', () => {
  it(
    'deletes rows once their column is older, in its own unit, and keeps those whose column is null',
    withDirectory(async (open) => {
      const database = open({ tables: allTables });
      const hours = [0, 1, 2, 24 * DAYS];
      await database.transact(async (tx) => {
        for (const hour of hours) tx.insert(hourly, hourlyRow(hour));
        for (const [name, closedDay] of [
          ['old', 0],
          ['new', 1],
          ['open', null],
        ] as const) {
          tx.insert(daily, { name, closedDay });
        }
      });
      const left = async () => ({
        hours: (await collect(database.scan(hourly, { prefix: [] }))).map(({ hour }) => hour),
        days: (await collect(database.scan(daily, { prefix: [] }))).map(({ name }) => name),
      });
      expect(await database.expire(DAYS * MICROS_PER_DAY)).to.equal(0);
      expect(await database.expire(DAYS * MICROS_PER_DAY + 2 * MICROS_PER_HOUR)).to.equal(2);
      expect(await left()).to.deep.equal({ hours: [2, 24 * DAYS], days: ['new', 'old', 'open'] });
      expect(await database.expire((DAYS + 1) * MICROS_PER_DAY)).to.equal(2);
      expect(await left()).to.deep.equal({ hours: [24 * DAYS], days: ['new', 'open'] });
      const [row] = (await database.transact(async (tx) => tx.read(hourly, [['a', 0]]))).result;
      expect(row).to.equal(undefined);
    }),
  );

  it(
    'forgets the identities of expired pages: they may be inserted again, by every handle and after a restart',
    withDirectory(async (open) => {
      const [one, other] = [open({ tables: allTables }), open({ tables: allTables })];
      const count = 1_000;
      await one.transact(async (tx) => {
        for (let i = 0; i < count; i++) tx.insert(happening, happeningRow(i, i < 500 ? 0 : MICROS_PER_DAY));
      });
      const keys = Array.from({ length: count }, (_, i) => [identity(i)]);
      expect(await other.read(happening, keys)).to.not.include(undefined);
      // Of the page that holds both, the whole page stays.
      expect(await one.expire(DAYS * MICROS_PER_DAY + 1)).to.equal(256);
      for (const database of [one, other, open({ tables: allTables })]) {
        const there = (await database.read(happening, keys)).map((row) => row !== undefined);
        expect(there).to.deep.equal(keys.map((_, i) => i >= 256));
      }
      await expectRejection(
        other.transact(async (tx) => tx.insert(happening, happeningRow(256, 0))),
        'AlreadyExists',
      );
      await other.transact(async (tx) => tx.insert(happening, happeningRow(0, 5)));
      expect(await one.read(happening, [keys[0]!])).to.deep.equal([happeningRow(0, 5)]);
    }),
  );

  it(
    'never numbers a row as an expired one was, though all have expired',
    withDirectory(async (open) => {
      const [one, other] = [open({ tables: allTables }), open({ tables: allTables })];
      for (let round = 0; round < 3; round++) {
        const now = round * MICROS_PER_DAY;
        await one.transact(async (tx) => tx.insert(happening, happeningRow(round, now)));
        expect((await other.read(happening, [[identity(round)]]))[0]?.committedAt).to.equal(now);
        expect(await one.expire(now + 1 + DAYS * MICROS_PER_DAY)).to.equal(1);
        expect(await other.read(happening, [[identity(round)]])).to.deep.equal([undefined]);
      }
    }),
  );

  it(
    'keeps a changed row as it is while the page it hides lives, and deletes both in the end',
    withDirectory(async (open) => {
      const database = open({ tables: allTables });
      await database.transact(async (tx) => {
        tx.insert(happening, happeningRow(1, 0));
        tx.insert(happening, happeningRow(2, 0));
        tx.insert(happening, happeningRow(3, MICROS_PER_DAY));
      });
      await database.transact(async (tx) => {
        tx.update(happening, { identity: identity(1), state: 'void' });
        tx.delete(happening, [identity(2)]);
      });
      const states = async () =>
        (
          await database.read(
            happening,
            [1, 2, 3].map((of) => [identity(of)]),
          )
        ).map((row) => row?.state);
      expect(await database.expire(DAYS * MICROS_PER_DAY + 1)).to.equal(0);
      expect(await states()).to.deep.equal(['void', undefined, 'live']);
      expect(await database.expire((DAYS + 1) * MICROS_PER_DAY + 1)).to.equal(5);
      expect(await states()).to.deep.equal([undefined, undefined, undefined]);
      await database.transact(async (tx) => tx.insert(happening, happeningRow(2, 0)));
      expect(await states()).to.deep.equal([undefined, 'live', undefined]);
    }),
  );
});
