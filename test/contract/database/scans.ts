import { expect } from 'chai';
import fc from 'fast-check';
import type { ScanOptions } from '#infra/database/database.ts';
import type { KeyRange } from '#infra/database/table.ts';
import { cellRow, collect, factRow, identity, plainRow, upsertAll } from './support.ts';
import type { WithDatabase } from './support.ts';
import { cell, fact, plain } from './tables.ts';

/** In the order of a scan: byte by byte, so U+FFFD stands before the characters outside the first plane, unlike in UTF-16. */
const ordered = ['', '\u0000', 'A', 'a', 'a\u0000', 'aa', 'b', 'é', '\uFFFD', '\u{1F600}'];

const hours = [1, 2, 10, 11, 100];
const cells = ['acme', 'acme 2', 'b'].flatMap((subject) =>
  hours.flatMap((hour) => ['', 'g'].map((group) => cellRow(subject, hour, { group }))),
);

export function scansContract(withDatabase: WithDatabase): void {
  describe('scans', () => {
    it(
      'deliver in the order of the key as UTF-8 bytes, and backwards in reverse',
      withDatabase(async ({ database }) => {
        await upsertAll(
          database,
          plain,
          ordered.toReversed().map((name) => plainRow(name)),
        );
        const names = async (reverse: boolean) =>
          (await collect(database.scan(plain, { prefix: ['default'] }, { reverse }))).map(({ name }) => name);
        expect(await names(false)).to.deep.equal(ordered);
        expect(await names(true)).to.deep.equal(ordered.toReversed());
      }),
    );

    it(
      'deliver what lies from `from` on and before `to`, and never more than the limit',
      withDatabase(async ({ database }) => {
        await upsertAll(
          database,
          plain,
          ['a', 'b', 'c', 'd'].map((name) => plainRow(name)),
        );
        await upsertAll(database, plain, [plainRow('b', { namespace: 'other' })]);
        const names = async (range: KeyRange, options = {}) =>
          (await collect(database.scan(plain, range, options))).map(({ name }) => name);
        const prefix = ['default'];
        expect(await names({ prefix, from: 'b' })).to.deep.equal(['b', 'c', 'd']);
        expect(await names({ prefix, to: 'b' })).to.deep.equal(['a']);
        expect(await names({ prefix, from: 'b', to: 'd' })).to.deep.equal(['b', 'c']);
        expect(await names({ prefix, from: 'd', to: 'b' })).to.deep.equal([]);
        expect(await names({ prefix, from: 'b' }, { limit: 2 })).to.deep.equal(['b', 'c']);
        expect(await names({ prefix, from: 'b' }, { limit: 2, reverse: true })).to.deep.equal(['d', 'c']);
        expect(await names({ prefix: ['default', 'c'] })).to.deep.equal(['c']);
        expect(await names({ prefix: ['none'] })).to.deep.equal([]);
        expect(await names({ prefix: [] })).to.deep.equal(['a', 'b', 'c', 'd', 'b']);
      }),
    );

    it(
      'go through an index in its order, then the key’s, with nulls first',
      withDatabase(async ({ database }) => {
        const ranks: [string, string, number | null][] = [
          ['e', 'open', 2],
          ['d', 'open', null],
          ['c', 'open', 10],
          ['b', 'open', 2],
          ['a', 'closed', 1],
        ];
        await upsertAll(
          database,
          plain,
          ranks.map(([name, state, rank]) => plainRow(name, { state, rank })),
        );
        const names = async (range: KeyRange, options = {}) =>
          (await collect(database.scan(plain, range, { index: 'byState', ...options }))).map(
            ({ name }) => name,
          );
        expect(await names({ prefix: ['default'] })).to.deep.equal(['a', 'd', 'b', 'e', 'c']);
        expect(await names({ prefix: ['default', 'open'] })).to.deep.equal(['d', 'b', 'e', 'c']);
        expect(await names({ prefix: ['default', 'open'], from: 2 })).to.deep.equal(['b', 'e', 'c']);
        expect(await names({ prefix: ['default', 'open'], to: 10 })).to.deep.equal(['d', 'b', 'e']);
        expect(await names({ prefix: ['default', 'open', null] })).to.deep.equal(['d']);
        expect(await names({ prefix: ['default', 'open'] }, { reverse: true, limit: 2 })).to.deep.equal([
          'c',
          'e',
        ]);
      }),
    );

    it(
      'of a partitioned table deliver in the order of the key, whatever the partition',
      withDatabase(async ({ database }) => {
        await upsertAll(database, cell, cells.toReversed());
        const all = (range: KeyRange, options = {}) => collect(database.scan(cell, range, options));
        const acme = cells.filter(({ subject }) => subject === 'acme');
        const prefix = ['default', 'acme'];
        expect(await all({ prefix: ['default'] })).to.deep.equal(cells);
        expect(await all({ prefix: [] }, { reverse: true })).to.deep.equal(cells.toReversed());
        expect(await all({ prefix })).to.deep.equal(acme);
        expect(await all({ prefix, from: 2, to: 11 })).to.deep.equal(acme.slice(2, 6));
        expect(await all({ prefix, from: 3 }, { limit: 3 })).to.deep.equal(acme.slice(4, 7));
        expect(await all({ prefix, to: 11 }, { reverse: true, limit: 1 })).to.deep.equal([acme[5]]);
        expect(await all({ prefix: ['default', 'acme', 10] })).to.deep.equal(acme.slice(4, 6));
        expect(await all({ prefix: ['default', 'acme', 10], from: 'a' })).to.deep.equal([acme[5]]);
        expect(await all({ prefix: ['default'], from: 'acme 2' })).to.deep.equal(cells.slice(10));
      }),
    );

    it(
      'of an append-only table deliver in the order of the key, changed rows as they are now',
      withDatabase(async ({ database }) => {
        const rows = Array.from({ length: 600 }, (_, i) => factRow(i, { committedAt: i }));
        await upsertAll(database, fact, rows.slice(0, 300));
        await upsertAll(database, fact, rows.slice(300));
        await database.transact(async (tx) => {
          tx.update(fact, { identity: identity(7), subject: 'changed' });
          tx.delete(fact, [identity(8)]);
        });
        const expected = rows
          .filter((_, i) => i !== 8)
          .map((row) => (row.identity === identity(7) ? { ...row, subject: 'changed' } : row))
          .sort((a, b) => (a.identity < b.identity ? -1 : 1));
        expect(await collect(database.scan(fact, { prefix: [] }))).to.deep.equal(expected);
        const from = expected[100]?.identity ?? '';
        const to = expected[200]?.identity ?? '';
        expect(await collect(database.scan(fact, { prefix: [], from, to }))).to.deep.equal(
          expected.slice(100, 200),
        );
        expect(await collect(database.scan(fact, { prefix: [] }, { reverse: true, limit: 5 }))).to.deep.equal(
          expected.toReversed().slice(0, 5),
        );
        expect(await collect(database.scan(fact, { prefix: [from] }))).to.deep.equal([expected[100]]);
      }),
    );

    it(
      'of some partitions deliver their rows by partition and then by key',
      withDatabase(async ({ database }) => {
        await upsertAll(database, cell, cells);
        await upsertAll(database, cell, [cellRow('acme', 2, { namespace: 'other' })]);
        const all = (range: KeyRange, options: ScanOptions) => collect(database.scan(cell, range, options));
        const within = (from: number, to: number) =>
          cells.filter(({ hour }) => hour >= from && hour < to).toSorted((a, b) => a.hour - b.hour);
        const partition = { from: 2, to: 11 };
        const prefix = ['default'];
        expect(await all({ prefix }, { partition })).to.deep.equal(within(2, 11));
        expect(await all({ prefix }, { partition, reverse: true })).to.deep.equal(within(2, 11).toReversed());
        expect(await all({ prefix }, { partition, limit: 7 })).to.deep.equal(within(2, 11).slice(0, 7));
        expect(await all({ prefix }, { partition, limit: 0 })).to.deep.equal([]);
        expect(await all({ prefix }, { partition: { from: 12, to: 100 } })).to.deep.equal([]);
        const acme = within(2, 11).filter(({ subject }) => subject === 'acme');
        expect(await all({ prefix: ['default', 'acme'] }, { partition })).to.deep.equal(acme);
        const later = within(2, 11).filter(({ subject }) => subject >= 'acme 2');
        expect(await all({ prefix, from: 'acme 2' }, { partition })).to.deep.equal(later);
        const inside = await database.transact(async (tx) =>
          collect(tx.scan(cell, { prefix }, { partition })),
        );
        expect(inside.result).to.deep.equal(within(2, 11));
      }),
    );

    it(
      'agree with a filter over all rows, for any range',
      withDatabase(async ({ database }) => {
        await upsertAll(database, cell, cells);
        const bound = fc.option(fc.integer({ min: 0, max: 101 }), { nil: undefined });
        await fc.assert(
          fc.asyncProperty(bound, bound, fc.boolean(), fc.nat(12), async (from, to, reverse, limit) => {
            const range = {
              prefix: ['default', 'b'],
              ...(from === undefined ? {} : { from }),
              ...(to === undefined ? {} : { to }),
            };
            const inRange = cells.filter(
              ({ subject, hour }) => subject === 'b' && hour >= (from ?? -1) && hour < (to ?? Infinity),
            );
            const expected = (reverse ? inRange.toReversed() : inRange).slice(0, limit);
            expect(await collect(database.scan(cell, range, { reverse, limit }))).to.deep.equal(expected);
          }),
          { numRuns: 40 },
        );
      }),
    );

    it(
      'show one state, whatever is committed while they run',
      withDatabase(async ({ database }) => {
        const rows = Array.from({ length: 200 }, (_, i) => plainRow(String(i).padStart(3, '0')));
        await upsertAll(database, plain, rows);
        const seen: string[] = [];
        for await (const { name } of database.scan(plain, { prefix: ['default'] })) {
          if (seen.length === 10) await upsertAll(database, plain, [plainRow('new')]);
          seen.push(name);
        }
        expect(seen).to.deep.equal(rows.map(({ name }) => name));
        expect(await database.read(plain, [['default', 'new']])).to.deep.equal([plainRow('new')]);
      }),
    );

    it(
      'may be left before their end, and run side by side',
      withDatabase(async ({ database }) => {
        await upsertAll(
          database,
          plain,
          ordered.map((name) => plainRow(name)),
        );
        for (let i = 0; i < 100; i++) {
          for await (const { name } of database.scan(plain, { prefix: ['default'] })) {
            expect(name).to.equal('');
            break;
          }
        }
        const both = await Promise.all([1, 2].map(() => collect(database.scan(plain, { prefix: [] }))));
        expect(both.map((rows) => rows.length)).to.deep.equal([ordered.length, ordered.length]);
        await upsertAll(database, plain, [plainRow('after')]);
      }),
    );
  });
}
