import { expect } from 'chai';
import fc from 'fast-check';
import type { KeyRange } from '#infra/database/table.ts';
import { collect, entryRow, upsertAll } from './support.ts';
import type { WithDatabase } from './support.ts';
import { entry } from './tables.ts';

const ids = Array.from({ length: 24 }, (_, i) => `id ${String(i).padStart(2, '0')}`);
/** In the order of the key; times and states cut across it. */
const entries = ids.flatMap((id, i) =>
  [0, 1].map((part) =>
    entryRow(id, part, { state: i % 3 === 0 ? 'closed' : 'open', at: i % 5 === 0 ? null : (i * 7) % 11 }),
  ),
);

/** Nulls first, then the time, then the key. */
const byTime = entries.toSorted((a, b) => (a.at ?? -1) - (b.at ?? -1));

export function spreadContract(withDatabase: WithDatabase): void {
  describe('a spread table', () => {
    it(
      'is scanned in the order of its key and of its indexes, spread or not, forwards and backwards',
      withDatabase(async ({ database }) => {
        await upsertAll(database, entry, entries.toReversed());
        const all = (range: KeyRange, options = {}) => collect(database.scan(entry, range, options));
        const prefix = ['default'];
        expect(await all({ prefix: [] })).to.deep.equal(entries);
        expect(await all({ prefix }, { reverse: true, limit: 5 })).to.deep.equal(
          entries.toReversed().slice(0, 5),
        );
        expect(await all({ prefix, from: 'id 03', to: 'id 06' })).to.deep.equal(entries.slice(6, 12));
        expect(await all({ prefix: ['default', 'id 07'] })).to.deep.equal(entries.slice(14, 16));
        expect(await all({ prefix: ['default', 'id 07'], from: 1 })).to.deep.equal([entries[15]]);
        expect(await all({ prefix: ['default', 'id 07', 0] })).to.deep.equal([entries[14]]);
        expect(await all({ prefix: ['other'] })).to.deep.equal([]);
        const open = byTime.filter(({ state }) => state === 'open');
        const index = 'byState';
        expect(await all({ prefix: ['default', 'open'] }, { index })).to.deep.equal(open);
        expect(await all({ prefix: ['default', 'open'] }, { index, reverse: true })).to.deep.equal(
          open.toReversed(),
        );
        expect(await all({ prefix: ['default', 'open'], from: 2, to: 5 }, { index, limit: 3 })).to.deep.equal(
          open.filter(({ at }) => at !== null && at >= 2 && at < 5).slice(0, 3),
        );
        expect(await all({ prefix: [] }, { index: 'byTime' })).to.deep.equal(byTime);
      }),
    );

    it(
      'agrees with a filter over all rows, for any range of its key',
      withDatabase(async ({ database }) => {
        await upsertAll(database, entry, entries);
        const bound = fc.option(fc.constantFrom(...ids, 'id', 'j'), { nil: undefined });
        await fc.assert(
          fc.asyncProperty(bound, bound, fc.boolean(), fc.nat(60), async (from, to, reverse, limit) => {
            const inRange = entries.filter(({ id }) => id >= (from ?? '') && id < (to ?? 'z'));
            const expected = (reverse ? inRange.toReversed() : inRange).slice(0, limit);
            const range = {
              prefix: ['default'],
              ...(from === undefined ? {} : { from }),
              ...(to === undefined ? {} : { to }),
            };
            expect(await collect(database.scan(entry, range, { reverse, limit }))).to.deep.equal(expected);
          }),
          { numRuns: 25 },
        );
      }),
    );

    it(
      'shows one state to a scan, and to the scans of a transaction and a snapshot, whatever is committed meanwhile',
      withDatabase(async ({ database }) => {
        await upsertAll(database, entry, entries);
        const added = ids.map((id) => entryRow(id, 2));
        let seen = 0;
        for await (const row of database.scan(entry, { prefix: ['default'] })) {
          if (seen === 3) await upsertAll(database, entry, added);
          expect(row).to.deep.equal(entries[seen++]);
        }
        expect(seen).to.equal(entries.length);
        const snapshot = await database.snapshot();
        await database.transact(async (tx) => {
          for (const id of ids) tx.delete(entry, ['default', id, 2]);
          expect(await collect(tx.scan(entry, { prefix: [] }))).to.have.length(3 * ids.length);
        });
        expect(await collect(snapshot.scan(entry, { prefix: [] }))).to.have.length(3 * ids.length);
        await snapshot.close();
        expect(await collect(database.scan(entry, { prefix: [] }))).to.deep.equal(entries);
      }),
    );

    it(
      'has its rows read, updated and deleted by their keys',
      withDatabase(async ({ database }) => {
        await upsertAll(database, entry, entries);
        await database.transact(async (tx) => {
          tx.update(entry, { namespace: 'default', id: 'id 01', part: 0, at: 99 });
          tx.delete(entry, ['default', 'id 02', 1]);
        });
        const keys = entries.map(({ namespace, id, part }) => [namespace, id, part]);
        const expected = entries.map((row, i) => (i === 2 ? { ...row, at: 99 } : i === 5 ? undefined : row));
        expect(await database.read(entry, keys)).to.deep.equal(expected);
        const last = await collect(
          database.scan(entry, { prefix: ['default'] }, { index: 'byState', reverse: true, limit: 1 }),
        );
        expect(last).to.deep.equal([{ ...entries[2], at: 99 }]);
      }),
    );
  });
}
