import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import type { Table } from '#infra/database/table.ts';

type Rows = ReadonlyMap<Table<object>, readonly object[]>;

/** Few enough for the widest row to stay within a commit. */
const ROWS_PER_COMMIT = 200;

/** All rows as of a commit time. The emulator has no backups; this is what one would hold. */
export async function rowsAt(
  database: Database,
  tables: readonly Table<object>[],
  at: Instant,
): Promise<Rows> {
  const rows = new Map<Table<object>, readonly object[]>();
  for (const table of tables)
    rows.set(table, await Array.fromAsync(database.scan(table, { prefix: [] }, { at })));
  return rows;
}

/** Into a database that has the tables, empty. */
export async function putRows(database: Database, rows: Rows): Promise<void> {
  for (const [table, all] of rows)
    for (let from = 0; from < all.length; from += ROWS_PER_COMMIT) {
      const some = all.slice(from, from + ROWS_PER_COMMIT);
      await database.transact(async (tx) => some.forEach((row) => tx.insert(table, row)));
    }
}
