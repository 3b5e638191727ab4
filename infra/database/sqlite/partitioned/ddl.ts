import { StoreFailure } from '#infra/database/errors.ts';
import type { Table } from '#infra/database/table.ts';
import type { PackedTable } from '#infra/database/sqlite/adopted-columns.ts';
import { fieldsOf } from '#infra/database/field.ts';
import { keyFieldsOf, quoted } from '#infra/database/sqlite/field.ts';
import type { Field } from '#infra/database/field.ts';

/** The names and fields of a table of the layout `partitioned`. */
export interface PartitionedTable extends PackedTable {
  readonly table: Table<object>;
  /** The key as it is declared. */
  readonly key: readonly Field[];
  /** Places of the key's columns in the order they are stored: the partition first. */
  readonly order: readonly number[];
  /** The partition's column and its place in the key. */
  readonly by: Field;
  readonly at: number;
  /** All columns but the key's, in the order of their declaration. */
  readonly rest: readonly Field[];
  readonly rows: string;
  readonly log: string;
}

export function partitionedTable(table: Table<object>): PartitionedTable {
  const { name, layout, timeToLive } = table;
  const by = layout.kind === 'partitioned' ? layout.by : '';
  const at = table.key.indexOf(by);
  if (at < 0) throw new StoreFailure(`table ${name}: it is partitioned by ${by}, which is no key column`);
  if (Object.keys(table.indexes).length > 0)
    throw new StoreFailure(`table ${name}: a partitioned table has no indexes`);
  if (timeToLive !== undefined && timeToLive.column !== by)
    throw new StoreFailure(`table ${name}: a partitioned table lives by its partition, ${by}`);
  const key = keyFieldsOf(table);
  const partition = key[at] as Field;
  // Every key begins with it, and none may begin with a byte of 255.
  if (partition.type === 'hash') throw new StoreFailure(`table ${name}: a hash cannot be a partition`);
  const rest = fieldsOf(table).filter((field) => !table.key.includes(field.name));
  const order = [at, ...key.keys().filter((place) => place !== at)];
  return {
    table,
    name,
    key,
    order,
    by: partition,
    at,
    rest,
    packed: [...order.map((place) => key[place] as Field), ...rest],
    rows: quoted(`${name}_row`),
    log: quoted(`${name}_log`),
    extent: quoted(`${name}_extent`),
  };
}

/** Keys are bytes that sort as the keys do, so that one comparison of memory is all that SQLite has to do. */
export function partitionedDdl(table: Table<object>): string[] {
  const { rows, log, extent } = partitionedTable(table);
  return [
    `CREATE TABLE IF NOT EXISTS ${rows} (key BLOB NOT NULL PRIMARY KEY, row BLOB NOT NULL) STRICT, WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS ${log} (sequence INTEGER PRIMARY KEY, changes BLOB NOT NULL) STRICT`,
    `CREATE TABLE IF NOT EXISTS ${extent} (id INTEGER PRIMARY KEY, first INTEGER NOT NULL, next INTEGER NOT NULL, expiries INTEGER NOT NULL, columns TEXT NOT NULL) STRICT`,
    `INSERT OR IGNORE INTO ${extent} VALUES (1, 0, 0, 0, '[]')`,
  ];
}
