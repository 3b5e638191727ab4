import type { Table } from '../table.ts';

/** An identifier in GoogleSQL: names like `group` and `at` are words of the language. */
export const quoted = (name: string): string => `\`${name}\``;

export const indexName = (table: Table<object>, index: string): string => `${table.name}_${index}`;

/** Nulls stay out of a unique index: any number of rows may have none, as everywhere else in SQL. */
export const isNullFiltered = ({ indexes, columns }: Table<object>, index: string): boolean =>
  indexes[index]?.unique === true &&
  indexes[index].columns.some((column) => columns[column]?.nullable === true);
