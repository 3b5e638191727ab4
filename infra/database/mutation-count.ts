import type { Table } from './table.ts';

/** A buffered write as far as it matters for its size. */
export type CountedWrite =
  | { readonly kind: 'insert' | 'update' | 'upsert'; readonly table: Table<object>; readonly row: object }
  | { readonly kind: 'delete'; readonly table: Table<object> };

/**
 * What a write counts towards the limit of a commit, as Spanner counts: one for each column that it writes, its key among them, and one
 * for each index entry that it may make or take away. A change of an indexed column does both. Counted a little too high rather than too low:
 * whether an upsert finds a row is not known beforehand.
 */
export function mutationsOf(write: CountedWrite): number {
  const { table, kind } = write;
  const indexes = Object.values(table.indexes);
  if (kind === 'delete') return 1 + indexes.length;
  // The shard of a spread table is a column beside those of the row.
  const columns = Object.keys(write.row).length + (table.spread === undefined ? 0 : 1);
  if (kind === 'insert') return columns + indexes.length;
  const touched = indexes.filter((index) => index.columns.some((name) => name in write.row));
  return columns + 2 * touched.length;
}
