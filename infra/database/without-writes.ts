import type { Reads, Transaction } from './database.ts';

/**
 * A transaction that reads and lets every write go by: what work would do, by the same code, and nothing of it done. A row that could not be
 * inserted, or updated, does not fail it, since that shows only at a commit.
 */
export const withoutWrites = (from: Reads): Transaction => ({
  read: (table, keys) => from.read(table, keys),
  scan: (table, range, options) => from.scan(table, range, options),
  insert: () => undefined,
  update: () => undefined,
  upsert: () => undefined,
  delete: () => undefined,
});
