import type { Instant } from '#domain/instant.ts';
import type { Key, Table } from '#infra/database/table.ts';
import type { SqlValue } from './connection.ts';
import { fieldsOf } from '#infra/database/field.ts';
import { encodeValue, keyFieldsOf, quoted } from './field.ts';
import type { Field, StoredRow } from '#infra/database/field.ts';

/** The SQL and the fields of a table of the layout `rows`. */
export interface RowTable {
  readonly table: Table<object>;
  readonly fields: readonly Field[];
  readonly keyFields: readonly Field[];
  readonly select: string;
  readonly insert: string;
  readonly upsert: string;
  readonly remove: string;
}

export function rowTable(table: Table<object>): RowTable {
  const fields = fieldsOf(table);
  const keyFields = keyFieldsOf(table);
  const name = quoted(table.name);
  const columns = fields.map((field) => quoted(field.name));
  const values = `${name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  const where = keyFields.map((field) => `${quoted(field.name)} = ?`).join(' AND ');
  return {
    table,
    fields,
    keyFields,
    select: `SELECT ${columns.join(', ')} FROM ${name} WHERE ${where}`,
    insert: `INSERT INTO ${values}`,
    upsert: upsertSql(table, values, columns),
    remove: `DELETE FROM ${name} WHERE ${where}`,
  };
}

/** REPLACE is the faster one, but it would silently remove another row that holds the same entry of a unique index. */
function upsertSql(table: Table<object>, values: string, columns: readonly string[]): string {
  const unique = Object.values(table.indexes).some((index) => index.unique === true);
  if (!unique) return `REPLACE INTO ${values}`;
  const key = table.key.map(quoted).join(', ');
  const set = columns.map((column) => `${column} = excluded.${column}`).join(', ');
  return `INSERT INTO ${values} ON CONFLICT (${key}) DO UPDATE SET ${set}`;
}

export function keyParameters(of: RowTable, key: Key): SqlValue[] {
  const parameters = new Array<SqlValue>(of.keyFields.length);
  for (let i = 0; i < of.keyFields.length; i++) parameters[i] = encodeValue(of.keyFields[i] as Field, key[i]);
  return parameters;
}

export function rowParameters(of: RowTable, row: StoredRow, committedAt: Instant): SqlValue[] {
  const { fields } = of;
  const parameters = new Array<SqlValue>(fields.length);
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    parameters[i] = encodeValue(field, row[field.name], committedAt);
  }
  return parameters;
}

export const keyOfRow = ({ table }: RowTable, row: StoredRow): Key =>
  table.key.map((name) => row[name]) as unknown as Key;
