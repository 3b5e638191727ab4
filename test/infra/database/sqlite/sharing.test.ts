import { expect } from 'chai';
import fc from 'fast-check';
import { commitTimestamp } from '#infra/database/table.ts';
import type { SqliteDatabase } from '#infra/database/sqlite/open.ts';
import { expectRejection, identity } from '#test/contract/database/support.ts';
import { withDirectory } from './temporary.ts';
import { allTables, happening, hourly } from './tables.ts';

const hourRow = (subject: string, hour: number, total: number) => ({
  subject,
  hour,
  total,
  changedAt: 0,
  note: null,
});

describe('two handles on one SQLite database', () => {
  it(
    'never read a row that the other has changed since: what one remembers is dropped when the other commits',
    withDirectory(async (open) => {
      const handles = [open({ tables: allTables }), open({ tables: allTables })];
      let round = 0;
      const step = fc.record({
        by: fc.constantFrom(0, 1),
        subject: fc.constantFrom('a', 'b', 'c'),
        hour: fc.nat(2),
        kind: fc.constantFrom('upsert', 'add', 'delete', 'fail'),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const offset = 10 * round++;
          const model = new Map<string, number>();
          for (const { by, subject, hour, kind } of steps) {
            const key = [subject, hour + offset];
            const total = model.get(String(key));
            const done = handles[by]!.transact(async (tx) => {
              const [row] = await tx.read(hourly, [key]);
              expect(row?.total).to.equal(total);
              if (kind === 'delete') tx.delete(hourly, key);
              else if (kind === 'upsert' || row === undefined)
                tx.upsert(hourly, hourRow(subject, hour + offset, 1));
              else tx.update(hourly, { subject, hour: hour + offset, total: row.total + 1 });
              if (kind === 'fail') tx.update(hourly, hourRow('none', -1, 0));
            });
            if (kind === 'fail') await expectRejection(done, 'NotFound');
            else await done;
            if (kind === 'delete') model.delete(String(key));
            else if (kind !== 'fail') model.set(String(key), kind === 'upsert' ? 1 : (total ?? 0) + 1);
          }
        }),
        { numRuns: 40 },
      );
    }),
  );

  it(
    'give the same rows from memory as from the file: times of the commit and JSON too',
    withDirectory(async (open) => {
      const remembering = open({ tables: allTables });
      const key = ['a', 5];
      const readInside = async (database: SqliteDatabase) =>
        (await database.transact(async (tx) => tx.read(hourly, [key]))).result[0];
      expect(await readInside(remembering)).to.equal(undefined);
      const note = { when: new Date(0), left: undefined, list: [1] };
      await remembering.transact(async (tx) =>
        tx.insert(hourly, { ...hourRow('a', 5, 1), changedAt: commitTimestamp, note }),
      );
      const remembered = await readInside(remembering);
      expect(remembered).to.deep.equal((await remembering.read(hourly, [key]))[0]);
      expect(remembered?.note).to.deep.equal({ when: '1970-01-01T00:00:00.000Z', list: [1] });
      await remembering.transact(async (tx) =>
        tx.update(hourly, { subject: 'a', hour: 5, changedAt: commitTimestamp }),
      );
      expect(await readInside(remembering)).to.deep.equal((await remembering.read(hourly, [key]))[0]);
    }),
  );

  it(
    'find what the other appended, changed and deleted in an append-only table',
    withDirectory(async (open) => {
      const [one, other] = [open({ tables: allTables }), open({ tables: allTables })];
      const row = (of: number, state = 'live') => ({
        identity: identity(of),
        subject: 's',
        state,
        committedAt: of,
      });
      const states = async (database: SqliteDatabase) =>
        (
          await database.read(
            happening,
            [0, 1, 2].map((of) => [identity(of)]),
          )
        ).map((found) => found?.state);
      await one.transact(async (tx) => [0, 1, 2].forEach((of) => tx.insert(happening, row(of))));
      expect(await states(other)).to.deep.equal(['live', 'live', 'live']);
      await other.transact(async (tx) => {
        tx.update(happening, { identity: identity(1), state: 'void' });
        tx.delete(happening, [identity(2)]);
      });
      expect(await states(one)).to.deep.equal(['live', 'void', undefined]);
      await expectRejection(
        one.transact(async (tx) => tx.insert(happening, row(1))),
        'AlreadyExists',
      );
      await one.transact(async (tx) => tx.insert(happening, row(2, 'again')));
      expect(await states(other)).to.deep.equal(['live', 'void', 'again']);
    }),
  );

  it(
    'open for reading only: reads what is committed, and refuses to write',
    withDirectory(async (open) => {
      const writer = open({ tables: allTables });
      const reader = open({ tables: allTables, readOnly: true });
      await writer.transact(async (tx) => tx.upsert(hourly, hourRow('a', 1, 7)));
      expect((await reader.read(hourly, [['a', 1]]))[0]?.total).to.equal(7);
      const failure = await expectRejection(
        reader.transact(async () => undefined),
        'StoreFailure',
      );
      expect(failure.message).to.contain('for reading only');
    }),
  );

  it(
    'refuses to read an older state, which SQLite does not keep',
    withDirectory(async (open) => {
      const database = open({ tables: allTables });
      const first = await database.transact(async (tx) => tx.upsert(hourly, hourRow('a', 1, 1)));
      await database.transact(async (tx) => tx.upsert(hourly, hourRow('a', 1, 2)));
      const failure = await expectRejection(
        database.read(hourly, [['a', 1]], { at: first.committedAt }),
        'StoreFailure',
      );
      expect(failure.message).to.contain('keeps no old versions');
    }),
  );
});
