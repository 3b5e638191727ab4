import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { RowRefused } from '../errors.ts';
import type { RefusedValueReason } from '../errors.ts';
import type { WarehouseColumn, WarehouseColumnType, WarehouseTable } from '../tables.ts';
import type { WarehouseRow, WarehouseValue } from '../warehouse.ts';

const HASH_HEX = /^[0-9a-f]{32}$/;

const isText = (value: WarehouseValue): value is string => typeof value === 'string';

/** Why a value cannot stand in a column of the type; undefined if it can. */
const faults: Readonly<
  Record<WarehouseColumnType, (value: WarehouseValue) => RefusedValueReason | undefined>
> = {
  text: (value) => (isText(value) ? wellFormed(value) : 'wrong_type'),
  canonicalJson: (value) => (isText(value) ? wellFormed(value) : 'wrong_type'),
  textList: (value) => (Array.isArray(value) && value.every(isText) ? undefined : 'wrong_type'),
  hash: (value) => (isText(value) && HASH_HEX.test(value) ? undefined : 'not_a_hash'),
  time: (value) => (isText(value) && parseRfc3339(value) !== undefined ? undefined : 'not_a_time'),
  int64: (value) => (Number.isSafeInteger(value) ? undefined : 'wrong_type'),
};

const wellFormed = (text: string): RefusedValueReason | undefined =>
  text.isWellFormed() ? undefined : 'lone_surrogate';

function faultOf(
  { type, nullable, oneOf }: WarehouseColumn,
  value: WarehouseValue | undefined,
): RefusedValueReason | undefined {
  if (value === undefined || value === null) return nullable && value === null ? undefined : 'value_missing';
  if (oneOf !== undefined && !(isText(value) && oneOf.includes(value))) return 'not_one_of';
  return faults[type](value);
}

/** Throws `RowRefused` unless the row has every column of the table, and no other, with a value that the column takes. */
export function checkRow(table: WarehouseTable, row: WarehouseRow, rowIndex: number): void {
  for (const column of table.columns) {
    const reason = faultOf(column, row[column.name]);
    if (reason !== undefined)
      throw new RowRefused({ table: table.name, rowIndex, column: column.name }, reason, column.type);
  }
  const unknown = Object.keys(row).find((name) => !table.columns.some((column) => column.name === name));
  if (unknown !== undefined) {
    throw new RowRefused(
      { table: table.name, rowIndex, column: unknown },
      'unknown_column',
      'the table has no such column',
    );
  }
}
