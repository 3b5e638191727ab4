import { expect } from 'chai';
import fc from 'fast-check';
import { MICROS_PER_HOUR } from '#domain/instant.ts';
import { compareKeys } from '#infra/database/key-order.ts';
import { column, defineTable, nullable } from '#infra/database/table.ts';
import type { Key } from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';
import { collect } from '#test/contract/database/support.ts';
import { makeDirectory, standingClock, withDirectory } from '../temporary.ts';
import { partitionedTable } from '#infra/database/sqlite/partitioned/ddl.ts';
import { openSqlite } from '#infra/database/sqlite/open.ts';
import type { SqliteDatabase } from '#infra/database/sqlite/open.ts';

const HOURS_KEPT = 24;

const tally = defineTable('tally', {
  columns: {
    namespace: column('string'),
    hour: column('int64'),
    subject: column('string'),
    total: column('int64'),
    packed: column('bytes'),
    note: nullable('string'),
  },
  key: ['namespace', 'hour', 'subject'],
  timeToLive: { column: 'hour', days: HOURS_KEPT / 24, unit: 'hours' },
  layout: { kind: 'partitioned', by: 'hour' },
});
type Tally = Row<typeof tally>;

/** So small that folds, drops and many entries a commit happen all the time. */
const SMALL = { logBytes: 400, logEntries: 3, heldBytes: 3_000, entryBytes: 60 };

const keyOf = ({ namespace, hour, subject }: Tally): Key => [namespace, hour, subject];

/** What the table should be, by the text of the key. */
type Model = Map<string, Tally>;

const inOrder = (model: Model): Tally[] =>
  [...model.values()].sort((a, b) => compareKeys(keyOf(a), keyOf(b)));

const rowOf = fc.record({
  namespace: fc.constantFrom('a', 'b'),
  hour: fc.nat(4),
  subject: fc.constantFrom('s', 't', 'u\0'),
  total: fc.integer(),
  packed: fc.uint8Array({ maxLength: 40 }),
  note: fc.option(fc.string({ maxLength: 3 }).filter((text) => text.isWellFormed())),
});

const step = fc.record({
  by: fc.nat(2),
  what: fc.constantFrom(
    'write',
    'write',
    'delete',
    'fail',
    'read',
    'scan',
    'scan',
    'partition',
    'reopen',
    'expire',
  ),
  rows: fc.array(rowOf, { minLength: 1, maxLength: 6 }),
  reverse: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function write(database: SqliteDatabase, model: Model, { what, rows }: Step): Promise<void> {
  const work = database.transact(async (tx) => {
    for (const row of rows) {
      if (what === 'delete') tx.delete(tally, keyOf(row));
      else tx.upsert(tally, row);
    }
    if (what === 'fail') throw new Error('on purpose');
  });
  if (what === 'fail')
    return work.then(
      () => expect.fail(),
      () => undefined,
    );
  await work;
  for (const row of rows) {
    if (what === 'delete') model.delete(String(keyOf(row)));
    else model.set(String(keyOf(row)), row);
  }
}

async function look(database: SqliteDatabase, model: Model, { what, rows, reverse }: Step): Promise<void> {
  const [{ namespace, hour, subject }] = rows as [Tally];
  const order = (all: Tally[]): Tally[] => (reverse ? all.toReversed() : all);
  if (what === 'read') {
    const expected = rows.map((row) => model.get(String(keyOf(row))));
    expect(await database.read(tally, rows.map(keyOf))).to.deep.equal(expected);
    const { result } = await database.transact(async (tx) => tx.read(tally, rows.map(keyOf)));
    expect(result).to.deep.equal(expected);
  } else if (what === 'partition') {
    const found = await collect(
      database.scan(tally, { prefix: [namespace] }, { partition: { from: hour, to: hour + 2 }, reverse }),
    );
    const within = inOrder(model).filter(
      (row) => row.namespace === namespace && row.hour >= hour && row.hour < hour + 2,
    );
    expect(found).to.deep.equal(order(within));
  } else {
    const all = inOrder(model);
    expect(await collect(database.scan(tally, { prefix: [] }, { reverse }))).to.deep.equal(order(all));
    const hours = { prefix: [namespace], from: hour, to: hour + 3 };
    expect(await collect(database.scan(tally, hours, { reverse, limit: 4 }))).to.deep.equal(
      order(
        all.filter((row) => row.namespace === namespace && row.hour >= hour && row.hour < hour + 3),
      ).slice(0, 4),
    );
    expect(await collect(database.scan(tally, { prefix: [namespace, hour], from: subject }))).to.deep.equal(
      all.filter((row) => row.namespace === namespace && row.hour === hour && row.subject >= subject),
    );
  }
}

describe('a partitioned table of SQLite', () => {
  it('is what a map would be to several handles, however often its log is folded and memory is dropped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const directory = await makeDirectory();
        const open = () =>
          openSqlite({
            path: `${directory.path}/x.db`,
            tables: [tally],
            clock: standingClock,
            partitionedBounds: SMALL,
          });
        const handles = [open(), open(), open()];
        const model: Model = new Map();
        try {
          for (const each of steps) {
            const database = handles[each.by]!;
            if (each.what === 'write' || each.what === 'delete' || each.what === 'fail')
              await write(database, model, each);
            else if (each.what === 'expire') {
              const { hour } = each.rows[0]!;
              const old = [...model].filter(([, row]) => row.hour < hour);
              expect(await database.expire((HOURS_KEPT + hour) * MICROS_PER_HOUR)).to.equal(old.length);
              for (const [name] of old) model.delete(name);
            } else if (each.what === 'reopen') {
              await database.close();
              handles[each.by] = open();
            } else await look(database, model, each);
          }
          for (const database of handles)
            expect(await collect(database.scan(tally, { prefix: [] }))).to.deep.equal(inOrder(model));
        } finally {
          for (const database of handles) await database.close();
          await directory.remove();
        }
      }),
      { numRuns: 150 },
    );
  });

  it(
    'shows a scan one state, though rows change and the log is folded while it is under way',
    withDirectory(async (open) => {
      const database = open({ tables: [tally], partitionedBounds: SMALL });
      const row = (hour: number, subject: string, total: number): Tally => ({
        namespace: 'a',
        hour,
        subject,
        total,
        packed: new Uint8Array(),
        note: null,
      });
      const upsert = (rows: Tally[]) =>
        database.transact(async (tx) => rows.forEach((each) => tx.upsert(tally, each)));
      for (const subject of ['s', 't', 'u']) await upsert([0, 1, 2].map((hour) => row(hour, subject, 1)));
      const totals: number[] = [];
      for await (const { total } of database.scan(tally, { prefix: ['a'] })) {
        totals.push(total);
        for (const subject of ['s', 't', 'u']) await upsert([0, 1, 2].map((hour) => row(hour, subject, 2)));
      }
      expect(totals).to.deep.equal(Array(9).fill(1));
    }),
  );

  it(
    'shows a snapshot its own state beside the newest, though the log is folded and rows expire meanwhile',
    withDirectory(async (open) => {
      const database = open({ tables: [tally], partitionedBounds: SMALL });
      const row = (hour: number, total: number): Tally => ({
        namespace: 'a',
        hour,
        subject: 's',
        total,
        packed: new Uint8Array(),
        note: null,
      });
      const upsert = (total: number) =>
        database.transact(async (tx) => [0, 1].forEach((hour) => tx.upsert(tally, row(hour, total))));
      const totalsOf = async (from: Pick<SqliteDatabase, 'read' | 'scan'>) => ({
        read: (await from.read(tally, [keyOf(row(0, 0)), keyOf(row(1, 0))])).map((each) => each?.total),
        scanned: (await collect(from.scan(tally, { prefix: ['a'] }))).map(({ total }) => total),
      });
      const both = (total: number) => ({ read: [total, total], scanned: [total, total] });
      await upsert(1);
      const snapshot = await database.snapshot();
      for (let total = 2; total < 12; total++) {
        await upsert(total);
        expect(await totalsOf(snapshot)).to.deep.equal(both(1));
        expect(await totalsOf(database)).to.deep.equal(both(total));
      }
      expect(await database.expire((HOURS_KEPT + 1) * MICROS_PER_HOUR)).to.equal(1);
      expect(await totalsOf(snapshot)).to.deep.equal(both(1));
      expect(await totalsOf(database)).to.deep.equal({ read: [undefined, 11], scanned: [11] });
      await snapshot.close();
      expect((await totalsOf(database)).scanned).to.deep.equal([11]);
    }),
  );

  it(
    'gives rows that stay as they are when the row is written again',
    withDirectory(async (open) => {
      const database = open({ tables: [tally] });
      const row = { namespace: 'a', hour: 0, subject: 's', total: 1, note: null };
      const put = (byte: number) =>
        database.transact(async (tx) => tx.upsert(tally, { ...row, packed: new Uint8Array(100).fill(byte) }));
      await put(1);
      const [found] = await database.read(tally, [['a', 0, 's']]);
      for (let byte = 2; byte < 200; byte++) await put(byte);
      expect(found?.packed).to.deep.equal(new Uint8Array(100).fill(1));
    }),
  );

  it('is refused where it has an index, or expires by another column than its partition', () => {
    const columns = { hour: column('int64'), at: column('timestamp') };
    const layout = { kind: 'partitioned', by: 'hour' } as const;
    expect(() =>
      partitionedTable(
        defineTable('x', { columns, key: ['hour'], layout, indexes: { byAt: { columns: ['at'] } } }),
      ),
    ).to.throw('no indexes');
    expect(() =>
      partitionedTable(
        defineTable('x', {
          columns,
          key: ['hour'],
          layout,
          timeToLive: { column: 'at', days: 1, unit: 'micros' },
        }),
      ),
    ).to.throw('lives by its partition');
  });
});
