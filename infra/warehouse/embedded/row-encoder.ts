import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { RowRefused, type RefusedValueReason } from '../errors.ts';
import type { WarehouseColumn, WarehouseColumnType, WarehouseTable } from '../tables.ts';
import type { WarehouseRow, WarehouseValue } from '../warehouse.ts';
import { putText } from './text-buffer.ts';
import { DELIMITER, LINE_END, NULL_MARK, type RowEncoder, type Written } from './text-format.ts';

/** A value's text in a segment, or why it has none. */
type Encoded = { readonly text: string } | { readonly reason: RefusedValueReason; readonly detail: string };

const wrongType = (expected: string): Encoded => ({ reason: 'wrong_type', detail: `is not ${expected}` });

const HASH = /^[0-9a-f]{32}$/;

function encodeTime(value: WarehouseValue): Encoded {
  if (typeof value !== 'string') return wrongType('an RFC 3339 time');
  const at = parseRfc3339(value)?.at;
  if (at === undefined) return { reason: 'not_a_time', detail: 'is not an RFC 3339 time' };
  return Number.isSafeInteger(at)
    ? { text: String(at) }
    : { reason: 'out_of_range', detail: 'is too far from now' };
}

const ENCODERS: Readonly<Record<WarehouseColumnType, (value: WarehouseValue) => Encoded>> = {
  text: (value) => (typeof value === 'string' ? { text: value } : wrongType('a string')),
  canonicalJson: (value) => (typeof value === 'string' ? { text: value } : wrongType('JSON text')),
  textList: (value) =>
    Array.isArray(value) ? { text: JSON.stringify(value) } : wrongType('a list of strings'),
  hash: (value) =>
    typeof value === 'string' && HASH.test(value)
      ? { text: value }
      : { reason: 'not_a_hash', detail: 'is not 32 hex digits' },
  time: encodeTime,
  int64: (value) => (Number.isSafeInteger(value) ? { text: String(value) } : wrongType('a safe integer')),
};

/** For rows in the port's own terms, of any table. */
export function createRowEncoder(table: WarehouseTable): RowEncoder<WarehouseRow> {
  const dayAt = table.columns.findIndex(({ name }) => name === table.dayColumn);

  function refuse({ rowIndex }: Written, column: string, reason: RefusedValueReason, detail: string): never {
    throw new RowRefused({ table: table.name, rowIndex, column }, reason, detail);
  }

  function encode(column: WarehouseColumn, value: WarehouseValue | undefined, written: Written): string {
    const { name, type, nullable, oneOf } = column;
    if (value === undefined || value === null) {
      if (!nullable) refuse(written, name, 'value_missing', 'is required');
      written.nulls++;
      return NULL_MARK;
    }
    const encoded = ENCODERS[type](value);
    if ('reason' in encoded) return refuse(written, name, encoded.reason, encoded.detail);
    if (!encoded.text.isWellFormed()) refuse(written, name, 'lone_surrogate', 'holds half a character');
    if (oneOf !== undefined && !oneOf.includes(encoded.text))
      refuse(written, name, 'not_one_of', `is none of ${oneOf.join(', ')}`);
    return encoded.text;
  }

  function checkNames(row: WarehouseRow, written: Written): void {
    const unknown = Object.keys(row).find((key) => !table.columns.some(({ name }) => name === key));
    if (unknown !== undefined) refuse(written, unknown, 'unknown_column', `${table.name} has no such column`);
  }

  return {
    table,
    put(buffer, row, written): Instant {
      const values = table.columns.map((column) => encode(column, row[column.name], written));
      checkNames(row, written);
      putText(buffer, values.join(DELIMITER) + LINE_END);
      return Number(values[dayAt]);
    },
    columnWhere(row, matches) {
      return table.columns.find(({ name }) => {
        const value = row[name];
        return typeof value === 'string' && matches(value);
      })?.name;
    },
  };
}
