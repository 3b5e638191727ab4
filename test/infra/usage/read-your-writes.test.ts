import { expect } from 'chai';
import type { Transaction } from '#infra/database/database.ts';
import { readYourWrites } from '#infra/database/read-your-writes.ts';
import { subject } from '#infra/usage/tables.ts';
import type { Row } from '#infra/usage/tables.ts';
import { errorOf, NAMESPACE, openStores } from './usage-fixture.ts';

const row = (name: string, hasLimits = false): Row<typeof subject> => ({
  namespace: NAMESPACE,
  subject: name,
  customers: [],
  hasLimits,
});
const keyOf = (name: string): [string, string] => [NAMESPACE, name];

/** Work in a transaction that sees its own writes, over a store that holds these subjects. */
async function inTransaction<Result>(
  held: readonly string[],
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  const { database } = await openStores();
  await database.transact(async (tx) => held.forEach((name) => tx.insert(subject, row(name))));
  return (await database.transact((tx) => work(readYourWrites(tx)))).result;
}

async function scanned(
  tx: Transaction,
  options: { reverse?: boolean; limit?: number; from?: string; to?: string } = {},
): Promise<string[]> {
  const { from, to, ...rest } = options;
  const names: string[] = [];
  const range = {
    prefix: [NAMESPACE],
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
  for await (const each of tx.scan(subject, range, rest)) names.push(each.subject);
  return names;
}

describe('a transaction that reads its own writes', () => {
  it('reads what it has inserted, replaced and deleted, and the rest as it is stored', () =>
    inTransaction(['a', 'b', 'c'], async (tx) => {
      tx.upsert(subject, row('a', true));
      tx.delete(subject, keyOf('b'));
      tx.insert(subject, row('d'));
      const rows = await tx.read(subject, ['a', 'b', 'c', 'd', 'e'].map(keyOf));
      expect(rows).to.deep.equal([row('a', true), undefined, row('c'), row('d'), undefined]);
    }));

  it('scans them in the order of the key, with both ends, backwards and up to a limit', () =>
    inTransaction(['a', 'c', 'e'], async (tx) => {
      tx.insert(subject, row('b'));
      tx.insert(subject, row('d'));
      tx.delete(subject, keyOf('c'));
      tx.upsert(subject, { ...row('z'), namespace: 'sandbox' });
      expect(await scanned(tx)).to.deep.equal(['a', 'b', 'd', 'e']);
      expect(await scanned(tx, { from: 'b', to: 'e' })).to.deep.equal(['b', 'd']);
      expect(await scanned(tx, { reverse: true, limit: 3 })).to.deep.equal(['e', 'd', 'b']);
    }));

  it('sees the last of several writes of one row', () =>
    inTransaction(['a'], async (tx) => {
      tx.delete(subject, keyOf('a'));
      tx.insert(subject, row('a', true));
      expect(await tx.read(subject, [keyOf('a')])).to.deep.equal([row('a', true)]);
      tx.delete(subject, keyOf('a'));
      expect(await scanned(tx)).to.deep.equal([]);
    }));

  it('writes through: the commit has them all', async () => {
    const { database } = await openStores();
    await database.transact(async (tx) => {
      const own = readYourWrites(tx);
      own.insert(subject, row('a'));
      own.upsert(subject, row('b'));
      own.delete(subject, keyOf('b'));
    });
    expect(database.rows(subject)).to.deep.equal([row('a')]);
  });

  it('refuses what it could not answer truly: partial updates and scans by index or partition', () =>
    inTransaction([], async (tx) => {
      expect(() => tx.update(subject, row('a'))).to.throw('use upsert');
      const byPartition = tx.scan(subject, { prefix: [] }, { partition: { from: 0, to: 1 } });
      const error = await errorOf(async () => {
        for await (const _ of byPartition);
      });
      expect((error as Error).message).to.contain('by key only');
    }));
});
