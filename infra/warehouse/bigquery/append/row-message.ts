import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { RowRefused, type RefusedValueReason } from '../../errors.ts';
import type { WarehouseColumn, WarehouseColumnType, WarehouseTable } from '../../tables.ts';
import type { WarehouseRow, WarehouseValue } from '../../warehouse.ts';
import { putInteger, putString, type MessageBuffer } from './message-buffer.ts';

/**
 * Writes a row as a protobuf message: the columns in their order are the fields from 1 on. Throws `RowRefused` for all that the table
 * cannot hold, since what BigQuery itself would do with it ranges from refusing the whole request to storing another value.
 */
export type PutRow<Row> = (buffer: MessageBuffer, row: Row, rowIndex: number) => void;

/** Why a value cannot be stored. */
export interface Fault {
  readonly reason: RefusedValueReason;
  readonly detail: string;
}

const CONTROL_CHARACTER: Fault = { reason: 'control_character', detail: 'holds a control character' };
const HALF_CHARACTER: Fault = { reason: 'lone_surrogate', detail: 'holds half a character' };
const FIRST_PRINTABLE = 0x20;

/** What no text of a warehouse may hold, so that every driver stores the same; undefined if it is fine. */
export function faultOfText(text: string): Fault | undefined {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < FIRST_PRINTABLE) return CONTROL_CHARACTER;
  return text.isWellFormed() ? undefined : HALF_CHARACTER;
}

/** What is no exact instant; the exact ones, of the years 1684 to 2255, lie within what BigQuery holds. */
export const faultOfInstant = (at: Instant): Fault | undefined =>
  Number.isSafeInteger(at) ? undefined : { reason: 'not_a_time', detail: 'is no exact instant' };

/** A value as it is put: text, a number, or several texts; or why it is none. */
type Stored = string | number | readonly string[] | Fault;

const wrongType = (expected: string): Fault => ({ reason: 'wrong_type', detail: `is not ${expected}` });
const HASH = /^[0-9a-f]{32}$/;

const isTexts = (value: WarehouseValue): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function storedTime(value: WarehouseValue): Stored {
  if (typeof value !== 'string') return wrongType('an RFC 3339 time');
  const at = parseRfc3339(value)?.at;
  if (at === undefined) return { reason: 'not_a_time', detail: 'is not an RFC 3339 time' };
  return Number.isSafeInteger(at) ? at : { reason: 'out_of_range', detail: 'is too far from now' };
}

const STORED: Readonly<Record<WarehouseColumnType, (value: WarehouseValue) => Stored>> = {
  text: (value) => (typeof value === 'string' ? (faultOfText(value) ?? value) : wrongType('a string')),
  canonicalJson: (value) =>
    typeof value === 'string' ? (faultOfText(value) ?? value) : wrongType('JSON text'),
  textList: (value) =>
    isTexts(value)
      ? (value.map(faultOfText).find((fault) => fault !== undefined) ?? value)
      : wrongType('a list of strings'),
  hash: (value) =>
    typeof value === 'string' && HASH.test(value)
      ? value
      : { reason: 'not_a_hash', detail: 'is not 32 hex digits' },
  time: storedTime,
  int64: (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) ? value : wrongType('a safe integer'),
};

const isFault = (stored: Stored): stored is Fault => typeof stored === 'object' && !Array.isArray(stored);

function storedValue(
  { type, nullable, oneOf }: WarehouseColumn,
  value: WarehouseValue | undefined,
): Stored | null {
  if (value === undefined || value === null)
    return nullable ? null : { reason: 'value_missing', detail: 'is required' };
  const stored = STORED[type](value);
  return oneOf !== undefined && !isFault(stored) && !oneOf.includes(String(stored))
    ? { reason: 'not_one_of', detail: `is none of ${oneOf.join(', ')}` }
    : stored;
}

function putStored(buffer: MessageBuffer, field: number, stored: string | number | readonly string[]): void {
  if (typeof stored === 'number') putInteger(buffer, field, stored);
  else if (typeof stored === 'string') putString(buffer, field, stored);
  else for (const text of stored) putString(buffer, field, text);
}

/** For rows in the port's own terms, of any table. */
export function putRowOf(table: WarehouseTable): PutRow<WarehouseRow> {
  const columns = new Set(table.columns.map(({ name }) => name));
  return (buffer, row, rowIndex) => {
    for (const [index, column] of table.columns.entries()) {
      const stored = storedValue(column, row[column.name]);
      if (stored === null) continue;
      if (isFault(stored))
        throw new RowRefused(
          { table: table.name, rowIndex, column: column.name },
          stored.reason,
          stored.detail,
        );
      putStored(buffer, index + 1, stored);
    }
    const unknown = Object.keys(row).find((name) => !columns.has(name));
    if (unknown !== undefined)
      throw new RowRefused(
        { table: table.name, rowIndex, column: unknown },
        'unknown_column',
        `${table.name} has no such column`,
      );
  };
}
