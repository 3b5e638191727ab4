import type { Database, Transaction } from '#infra/database/database.ts';
import type { Table } from '#infra/database/table.ts';

export interface WriteCounts {
  rows: number;
  /** As Spanner counts them: one per column written, and one per index entry. */
  mutations: number;
}

/** Counts what transactions write, on its way into the database. */
export function countWrites(database: Database): { database: Database; counts: WriteCounts } {
  const counts: WriteCounts = { rows: 0, mutations: 0 };
  const count = (table: Table<object>, columns: number): void => {
    counts.rows++;
    counts.mutations += columns + Object.keys(table.indexes).length;
  };
  const counting = (tx: Transaction): Transaction => ({
    read: (table, keys) => tx.read(table, keys),
    scan: (table, range, options) => tx.scan(table, range, options),
    insert: (table, row) => {
      count(table, Object.keys(row).length);
      tx.insert(table, row);
    },
    update: (table, row) => {
      count(table, Object.keys(row).length);
      tx.update(table, row);
    },
    upsert: (table, row) => {
      count(table, Object.keys(row).length);
      tx.upsert(table, row);
    },
    delete: (table, key) => {
      count(table, 1);
      tx.delete(table, key);
    },
  });
  return {
    database: { ...database, transact: (work) => database.transact((tx) => work(counting(tx))) },
    counts,
  };
}
