import { expect } from 'chai';
import fc from 'fast-check';
import type { Transaction } from '#infra/database/database.ts';
import type { StoreErrorKind } from '#infra/database/errors.ts';
import type { Table } from '#infra/database/table.ts';
import { cellRow, collect, expectRejection, factRow, identity, plainRow } from './support.ts';
import type { WithDatabase } from './support.ts';
import { cell, fact, plain } from './tables.ts';

/** The same guarantees for each layout: rows that differ in `label`, their keys given by a number. */
interface Subject {
  readonly table: Table<object>;
  readonly row: (key: number, label: string) => object;
  readonly change: (key: number, label: string) => object;
  readonly key: (key: number) => string[] | (string | number)[];
  readonly labelOf: (row: object) => unknown;
}

const layouts: Record<string, Subject> = {
  'a plain table': {
    table: plain,
    row: (key, label) => plainRow(String(key), { state: label }),
    change: (key, label) => ({ namespace: 'default', name: String(key), state: label }),
    key: (key) => ['default', String(key)],
    labelOf: (row) => (row as { state: unknown }).state,
  },
  'a partitioned table': {
    table: cell,
    row: (key, label) => cellRow('acme', key, { note: label }),
    change: (key, label) => ({ namespace: 'default', subject: 'acme', hour: key, group: '', note: label }),
    key: (key) => ['default', 'acme', key, ''],
    labelOf: (row) => (row as { note: unknown }).note,
  },
  'an append-only table': {
    table: fact,
    row: (key, label) => factRow(key, { subject: label, committedAt: 1 }),
    change: (key, label) => ({ identity: identity(key), subject: label }),
    key: (key) => [identity(key)],
    labelOf: (row) => (row as { subject: unknown }).subject,
  },
};

export function writesContract(withDatabase: WithDatabase): void {
  for (const [name, of] of Object.entries(layouts)) {
    describe(`writes to ${name}`, () => writesTo(of, withDatabase));
  }
  uniqueIndexContract(withDatabase);
}

function writesTo({ table, row, change, key, labelOf }: Subject, withDatabase: WithDatabase): void {
  it(
    'insert a row once: a second insert fails with AlreadyExists and changes nothing',
    withDatabase(async ({ database }) => {
      await database.transact(async (tx) => tx.insert(table, row(1, 'first')));
      await expectRejection(
        database.transact(async (tx) => {
          tx.insert(table, row(2, 'beside'));
          tx.insert(table, row(1, 'second'));
        }),
        'AlreadyExists',
      );
      expect(await database.read(table, [key(1), key(2)])).to.deep.equal([row(1, 'first'), undefined]);
    }),
  );

  it(
    'insert a row once inside one transaction too',
    withDatabase(async ({ database }) => {
      await expectRejection(
        database.transact(async (tx) => {
          tx.insert(table, row(1, 'first'));
          tx.insert(table, row(1, 'second'));
        }),
        'AlreadyExists',
      );
      expect(await database.read(table, [key(1)])).to.deep.equal([undefined]);
    }),
  );

  it(
    'update only the named columns of a row, which must exist',
    withDatabase(async ({ database }) => {
      await database.transact(async (tx) => tx.insert(table, row(1, 'before')));
      await database.transact(async (tx) => tx.update(table, change(1, 'after')));
      expect(await database.read(table, [key(1)])).to.deep.equal([row(1, 'after')]);
      await expectRejection(
        database.transact(async (tx) => {
          tx.update(table, change(1, 'lost'));
          tx.update(table, change(2, 'nobody'));
        }),
        'NotFound',
      );
      expect(await database.read(table, [key(1), key(2)])).to.deep.equal([row(1, 'after'), undefined]);
    }),
  );

  it(
    'upsert a row whole, whether there is one or not',
    withDatabase(async ({ database }) => {
      for (const label of ['one', 'two', 'three']) {
        await database.transact(async (tx) => tx.upsert(table, row(1, label)));
        expect(await database.read(table, [key(1)])).to.deep.equal([row(1, label)]);
      }
    }),
  );

  it(
    'delete a row, which may then be inserted again; deleting none is no error',
    withDatabase(async ({ database }) => {
      await database.transact(async (tx) => tx.insert(table, row(1, 'first')));
      await database.transact(async (tx) => {
        tx.delete(table, key(1));
        tx.delete(table, key(2));
      });
      expect(await database.read(table, [key(1), key(2)])).to.deep.equal([undefined, undefined]);
      await expectRejection(
        database.transact(async (tx) => tx.update(table, change(1, 'x'))),
        'NotFound',
      );
      await database.transact(async (tx) => tx.insert(table, row(1, 'again')));
      expect(await database.read(table, [key(1)])).to.deep.equal([row(1, 'again')]);
      await expectRejection(
        database.transact(async (tx) => tx.insert(table, row(1, 'x'))),
        'AlreadyExists',
      );
    }),
  );

  it(
    'do what a map would do, for any sequence of transactions',
    withDatabase(async ({ database }) => {
      let round = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(operation, { maxLength: 6 }), { maxLength: 8 }),
          async (transactions) => {
            const offset = 10 * round++;
            const model = new Map<number, string>();
            for (const operations of transactions) {
              const shifted = operations.map(({ kind, number, label }) => ({
                kind,
                number: number + offset,
                label,
              }));
              const { after, failures } = modelAfter(model, shifted);
              const done = database.transact(async (tx) => shifted.forEach((one) => run(tx, one)));
              if (failures.size > 0) await expectRejection(done, ...failures);
              else {
                await done;
                replace(model, after);
              }
              const numbers = Array.from({ length: 3 }, (_, i) => i + offset);
              const read = await database.read(table, numbers.map(key));
              expect(read.map((one) => one && labelOf(one))).to.deep.equal(
                numbers.map((number) => model.get(number)),
              );
            }
          },
        ),
        { numRuns: 25 },
      );
    }),
  );

  const run = (tx: Transaction, { kind, number, label }: Operation): void => {
    if (kind === 'delete') tx.delete(table, key(number));
    else if (kind === 'update') tx.update(table, change(number, label));
    else tx[kind](table, row(number, label));
  };
}

interface Operation {
  readonly kind: 'insert' | 'update' | 'upsert' | 'delete';
  readonly number: number;
  readonly label: string;
}

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom('insert', 'update', 'upsert', 'delete'),
  number: fc.nat(2),
  label: fc.constantFrom('a', 'b', 'c', 'd'),
});

/** The model after the operations. A store may name any row's failure first, so all that may be named are told. */
function modelAfter(before: ReadonlyMap<number, string>, operations: readonly Operation[]) {
  const after = new Map(before);
  const failures = new Map<number, StoreErrorKind>();
  for (const { kind, number, label } of operations) {
    if (failures.has(number)) continue;
    if (kind === 'insert' && after.has(number)) failures.set(number, 'AlreadyExists');
    else if (kind === 'update' && !after.has(number)) failures.set(number, 'NotFound');
    else if (kind === 'delete') after.delete(number);
    else after.set(number, label);
  }
  return { after, failures: new Set(failures.values()) };
}

function replace(model: Map<number, string>, after: ReadonlyMap<number, string>): void {
  model.clear();
  for (const [number, label] of after) model.set(number, label);
}

function uniqueIndexContract(withDatabase: WithDatabase): void {
  describe('a unique index', () => {
    it(
      'takes each value once, by insert and by upsert',
      withDatabase(async ({ database }) => {
        await database.transact(async (tx) => tx.insert(plain, plainRow('a', { label: 'taken' })));
        await expectRejection(
          database.transact(async (tx) => tx.insert(plain, plainRow('b', { label: 'taken' }))),
          'AlreadyExists',
        );
        await expectRejection(
          database.transact(async (tx) => tx.upsert(plain, plainRow('b', { label: 'taken' }))),
          'AlreadyExists',
        );
        expect(
          await collect(database.scan(plain, { prefix: ['taken'] }, { index: 'byLabel' })),
        ).to.deep.equal([plainRow('a', { label: 'taken' })]);
      }),
    );

    it(
      'gives a value free when its row lets go of it',
      withDatabase(async ({ database }) => {
        await database.transact(async (tx) => tx.insert(plain, plainRow('a', { label: 'moving' })));
        await database.transact(async (tx) => {
          tx.update(plain, { namespace: 'default', name: 'a', label: 'left' });
          tx.insert(plain, plainRow('b', { label: 'moving' }));
        });
        const [row] = await collect(database.scan(plain, { prefix: ['moving'] }, { index: 'byLabel' }));
        expect(row?.name).to.equal('b');
      }),
    );
  });
}
