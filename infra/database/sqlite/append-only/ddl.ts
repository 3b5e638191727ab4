import { StoreFailure } from '#infra/database/errors.ts';
import type { Table } from '#infra/database/table.ts';
import type { PackedTable } from '#infra/database/sqlite/adopted-columns.ts';
import { fieldsOf } from '#infra/database/field.ts';
import { quoted } from '#infra/database/sqlite/field.ts';
import type { Field } from '#infra/database/field.ts';

/** The names and fields of a table of the layout `appendOnly`. */
export interface AppendOnlyTable extends PackedTable {
  readonly table: Table<object>;
  readonly key: Field;
  /** All columns but the key, in the order of their declaration. */
  readonly rest: readonly Field[];
  /** Pages of rows in the order of their commits, numbered by the ordinal of their first row. */
  readonly pages: string;
  /** Rows that were changed or deleted after they were written. */
  readonly override: string;
}

export function appendOnlyTable(table: Table<object>): AppendOnlyTable {
  const fields = fieldsOf(table);
  const [name, ...more] = table.key;
  const key = fields.find((field) => field.name === name);
  if (key === undefined || key.type !== 'hash' || more.length > 0) {
    throw new StoreFailure(`table ${table.name}: an append-only table has one key column, a hash`);
  }
  if (Object.keys(table.indexes).length > 0) {
    throw new StoreFailure(`table ${table.name}: an append-only table has no indexes`);
  }
  const rest = fields.filter((field) => field !== key);
  return {
    table,
    name: table.name,
    key,
    rest,
    packed: rest,
    pages: quoted(`${table.name}_page`),
    override: quoted(`${table.name}_override`),
    extent: quoted(`${table.name}_extent`),
  };
}

/** The identities stand before the rest, so that reading them leaves the rest's disk pages alone. */
export function appendOnlyDdl(table: Table<object>): string[] {
  const { pages, override, extent } = appendOnlyTable(table);
  return [
    `CREATE TABLE IF NOT EXISTS ${pages} (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, newest INTEGER, ids BLOB NOT NULL, rest BLOB NOT NULL) STRICT`,
    `CREATE TABLE IF NOT EXISTS ${override} (key BLOB NOT NULL PRIMARY KEY, sequence INTEGER NOT NULL, ordinal INTEGER NOT NULL, newest INTEGER, row BLOB) STRICT, WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS ${quoted(`${table.name}_override_sequence`)} ON ${override} (sequence)`,
    `CREATE TABLE IF NOT EXISTS ${extent} (id INTEGER PRIMARY KEY, first INTEGER NOT NULL, next INTEGER NOT NULL, overridden INTEGER NOT NULL, columns TEXT NOT NULL) STRICT`,
    `INSERT OR IGNORE INTO ${extent} VALUES (1, 0, 0, 0, '[]')`,
  ];
}
