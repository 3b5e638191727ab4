import { StoreFailure } from '#infra/database/errors.ts';
import type { ColumnType, Table } from '#infra/database/table.ts';
import { appendOnlyDdl } from './append-only/ddl.ts';
import { partitionedDdl } from './partitioned/ddl.ts';
import { keyFieldsOf, quoted } from './field.ts';

const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  string: 'TEXT',
  int64: 'INTEGER',
  bool: 'INTEGER',
  timestamp: 'INTEGER',
  bytes: 'BLOB',
  hash: 'BLOB',
  json: 'TEXT',
};

export const indexName = (table: Table<object>, index: string): string => `${table.name}_${index}`;

/** Statements that make the table where it is not there yet. */
export function tableDdl(table: Table<object>): string[] {
  checkKey(table);
  if (table.layout.kind === 'appendOnly') return appendOnlyDdl(table);
  if (table.layout.kind === 'partitioned') return partitionedDdl(table);
  const columns = Object.entries(table.columns).map(
    ([name, { type, nullable }]) => `${quoted(name)} ${SQL_TYPES[type]}${nullable ? '' : ' NOT NULL'}`,
  );
  const key = table.key.map(quoted).join(', ');
  return [
    `CREATE TABLE IF NOT EXISTS ${quoted(table.name)} (${columns.join(', ')}, PRIMARY KEY (${key})) STRICT, WITHOUT ROWID`,
  ];
}

/** Apart from the tables, since an index may want a column that a migration adds. */
export function indexDdl(table: Table<object>): string[] {
  return Object.entries(table.indexes).map(([name, { columns, unique }]) => {
    const kind = unique === true ? 'UNIQUE INDEX' : 'INDEX';
    const on = columns.map(quoted).join(', ');
    return `CREATE ${kind} IF NOT EXISTS ${quoted(indexName(table, name))} ON ${quoted(table.name)} (${on})`;
  });
}

function checkKey(table: Table<object>): void {
  for (const { name, type, nullable } of keyFieldsOf(table)) {
    if (nullable) throw new StoreFailure(`table ${table.name}: key column ${name} must not be nullable`);
    if (type === 'bytes' || type === 'json')
      throw new StoreFailure(`table ${table.name}: ${name} cannot be a key`);
  }
}
