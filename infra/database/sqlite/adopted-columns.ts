import { StoreFailure } from '#infra/database/errors.ts';
import type { Connection } from './connection.ts';
import type { Field } from '#infra/database/field.ts';

/** A table whose rows are packed: which columns they hold, in what order, is kept in its `extent` and compared with the declaration. */
export interface PackedTable {
  readonly name: string;
  /** Quoted; a table of one row with a column `columns`. */
  readonly extent: string;
  /** The packed columns in their order. */
  readonly packed: readonly Field[];
}

const storedColumns = (connection: Connection, { extent }: PackedTable): string =>
  String(connection.statement(`SELECT columns FROM ${extent}`).get([])?.[0] ?? '[]');

const declaredColumns = ({ packed }: PackedTable): string => JSON.stringify(packed.map(({ name }) => name));

/** Whether the packed rows are known to hold just the declared columns. */
export const hasAdopted = (connection: Connection, table: PackedTable): boolean =>
  storedColumns(connection, table) === declaredColumns(table);

/** Packed columns lie in the order of the declaration, so that may only grow at its end, by columns that older rows can be null in. */
export function adoptColumns(connection: Connection, table: PackedTable): void {
  const stored = JSON.parse(storedColumns(connection, table)) as string[];
  for (const [i, name] of stored.entries()) {
    if (table.packed[i]?.name === name) continue;
    throw new StoreFailure(
      `table ${table.name}: its rows have the column ${name} at place ${i}; the declaration has not`,
    );
  }
  for (const { name, nullable } of stored.length === 0 ? [] : table.packed.slice(stored.length)) {
    if (nullable) continue;
    throw new StoreFailure(`table ${table.name}: older rows lack the column ${name}, so it must be nullable`);
  }
  connection.statement(`UPDATE ${table.extent} SET columns = ?`).run([declaredColumns(table)]);
}
