import type { TableField } from '@google-cloud/bigquery';
import type { WarehouseColumn, WarehouseColumnType, WarehouseTable } from '../tables.ts';
import { describeColumn } from './descriptions.ts';

/**
 * `canonicalJson` is text, since a JSON column would round its numbers. A hash is its hex digits: readable, the same through every way in
 * (BYTES are not), and what SQL needs to take it apart.
 */
const TYPES: Readonly<Record<WarehouseColumnType, string>> = {
  text: 'STRING',
  canonicalJson: 'STRING',
  textList: 'STRING',
  hash: 'STRING',
  time: 'TIMESTAMP',
  int64: 'INTEGER',
};

export const isRepeated = ({ type }: WarehouseColumn): boolean => type === 'textList';

/** BigQuery knows no null list: a list that is missing is an empty one. */
function modeOf(column: WarehouseColumn): 'REPEATED' | 'NULLABLE' | 'REQUIRED' {
  if (isRepeated(column)) return 'REPEATED';
  return column.nullable ? 'NULLABLE' : 'REQUIRED';
}

export const fieldsOf = (table: WarehouseTable): TableField[] =>
  table.columns.map((column) => ({
    name: column.name,
    type: TYPES[column.type],
    mode: modeOf(column),
    description: describeColumn(table, column.name),
  }));

/** What a table is in BigQuery, beside its labels. */
export const tableMetadata = (table: WarehouseTable): Record<string, unknown> => ({
  schema: { fields: fieldsOf(table) },
  timePartitioning: { type: 'DAY', field: table.dayColumn },
  requirePartitionFilter: true,
  clustering: { fields: [...table.clusterBy] },
});
