import { StoreFailure } from './errors.ts';
import type { ColumnType, Table } from './table.ts';

/** A row as a driver sees it: values by column name. */
export type StoredRow = Readonly<Record<string, unknown>>;

/** A column with all that a driver needs to turn its values into its own and back. */
export interface Field {
  readonly table: string;
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly commitTime: boolean;
}

export const fieldsOf = (table: Table<object>): Field[] =>
  Object.entries(table.columns).map(([name, { type, nullable, commitTime = false }]) => ({
    table: table.name,
    name,
    type,
    nullable,
    commitTime,
  }));

export function fieldNamed(fields: readonly Field[], name: string, table: string): Field {
  const field = fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new StoreFailure(`table ${table} has no column ${name}`);
  return field;
}
