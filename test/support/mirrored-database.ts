import type { Database, Transaction } from '#infra/database/database.ts';
import { RefusedValue } from '#infra/database/errors.ts';
import { noCounts, noFaults, type Faults } from '#infra/database/hostile/faults.ts';
import type { HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import type { Table } from '#infra/database/table.ts';

/**
 * Any database in the place of the hostile one, for tests that look at all rows of a table at once: they are read again after each
 * commit. Of the faults only refusals can be set, since those are the only ones that need no store that plays along.
 */
export function mirrored(database: Database): HostileDatabase {
  const rows = new Map<string, readonly object[]>();
  const counts = noCounts();
  let faults: Faults = noFaults;
  const unsupported = (what: string) => (): never => {
    throw new Error(`a database that is mirrored has no ${what}`);
  };
  const reflect = async (written: ReadonlySet<Table<object>>): Promise<void> => {
    await Promise.all(
      [...written].map(async (table) =>
        rows.set(table.name, await Array.fromAsync(database.scan(table, { prefix: [] }))),
      ),
    );
  };
  return {
    ...database,
    transact: async (work) => {
      const written = new Set<Table<object>>();
      const committed = await database.transact((tx) => work(watched(tx, written, faults)));
      counts.commits++;
      await reflect(written);
      return committed;
    },
    rows: <Row extends object>(table: Table<Row>) => (rows.get(table.name) ?? []) as Row[],
    counts: () => ({ ...counts }),
    setFaults: (changed) => {
      if (
        Object.entries(changed)
          .filter(([name]) => name !== 'refuse')
          .map(([, value]) => value as unknown)
          .some((value) => value !== undefined && value !== 0)
      )
        unsupported('such faults')();
      faults = changed;
    },
    failFor: unsupported('outages'),
  };
}

/** Notes what tables are written. Refuses rows when they are written, not at the commit: either way nothing is left of the transaction. */
function watched(tx: Transaction, written: Set<Table<object>>, { refuse }: Faults): Transaction {
  const note = (table: Table<object>, row?: object): void => {
    written.add(table);
    if (row !== undefined && refuse?.(row, table.name) === true)
      throw new RefusedValue(`a value of ${table.name} is refused`);
  };
  return {
    ...tx,
    insert: (table, row) => {
      note(table, row);
      tx.insert(table, row);
    },
    update: (table, row) => {
      note(table);
      tx.update(table, row);
    },
    upsert: (table, row) => {
      note(table, row);
      tx.upsert(table, row);
    },
    delete: (table, key) => {
      note(table);
      tx.delete(table, key);
    },
  };
}
