import { dayOf, type DayIndex, type Instant } from '#domain/instant.ts';
import { RowRefused, WarehouseLimitExceeded } from '../errors.ts';
import { ROWS_PER_APPEND_MAX, type WarehouseTable } from '../tables.ts';
import { countControlCharacters, type TextBuffer } from './text-buffer.ts';

/**
 * A text segment: one row a line, values between tabs, no quoting and no escapes, every line ended. That is safe because no value holds a
 * control character, which is checked over the finished bytes. Null is a control character for the same reason: no value can look like it.
 */
export const DELIMITER = '\t';
export const LINE_END = '\n';
export const NULL_MARK = '\u0001';

/** Names of 256 bytes, data of 64 KiB, attributes of a message of 1 MiB and 200 meters leave room below this. */
export const LINE_BYTES_MAX = 4 * 1024 * 1024;

/** Writes rows of one kind as lines. */
export interface RowEncoder<Row> {
  readonly table: WarehouseTable;
  /** Appends the row's line, returns the instant of its day column and counts its nulls. Throws `RowRefused` on a value it can see is wrong. */
  put(buffer: TextBuffer, row: Row, written: Written): Instant;
  /** Which column's value matches, for the message of a refusal. */
  columnWhere(row: Row, matches: (text: string) => boolean): string | undefined;
}

/** What has been written so far. */
export interface Written {
  rowIndex: number;
  nulls: number;
}

export interface EncodedRows {
  readonly bytes: Buffer;
  readonly rows: number;
  readonly minDay: DayIndex;
  readonly maxDay: DayIndex;
}

/** All rows as one run of bytes, or `RowRefused` for the first that is at fault. */
export function encodeRows<Row>(
  encoder: RowEncoder<Row>,
  rows: readonly Row[],
  buffer: TextBuffer,
): EncodedRows {
  if (rows.length > ROWS_PER_APPEND_MAX) {
    throw new WarehouseLimitExceeded(
      `${rows.length} rows in one append, the limit is ${ROWS_PER_APPEND_MAX}`,
    );
  }
  const written: Written = { rowIndex: 0, nulls: 0 };
  let earliest = Infinity;
  let latest = -Infinity;
  buffer.at = 0;
  for (let i = 0; i < rows.length; i++) {
    const start = buffer.at;
    const time = encoder.put(buffer, rows[i] as Row, written);
    if (buffer.at - start > LINE_BYTES_MAX) refuseLine(encoder, written, buffer.at - start);
    if (time < earliest) earliest = time;
    if (time > latest) latest = time;
    written.rowIndex++;
  }
  const marks = rows.length * encoder.table.columns.length + written.nulls;
  if (countControlCharacters(buffer.bytes, buffer.at) !== marks)
    refuseControlCharacter(encoder, rows, buffer);
  return {
    bytes: buffer.bytes.subarray(0, buffer.at),
    rows: rows.length,
    minDay: dayOf(earliest),
    maxDay: dayOf(latest),
  };
}

function refuseLine<Row>(encoder: RowEncoder<Row>, { rowIndex }: Written, bytes: number): never {
  const detail = `the row takes ${bytes} bytes, the limit is ${LINE_BYTES_MAX}`;
  throw new RowRefused({ table: encoder.table.name, rowIndex }, 'too_long', detail);
}

/** Below the space. Compared by code units, so that no pattern has to spell the characters out. */
const isControl = (text: string): boolean => Array.from(text).some((character) => character < ' ');

/** Only the count of the whole batch is known to be wrong: this looks for the row, once, on the way out. */
function refuseControlCharacter<Row>(
  encoder: RowEncoder<Row>,
  rows: readonly Row[],
  buffer: TextBuffer,
): never {
  const rowIndex = rows.findIndex((row) => {
    const written: Written = { rowIndex: 0, nulls: 0 };
    buffer.at = 0;
    encoder.put(buffer, row, written);
    return countControlCharacters(buffer.bytes, buffer.at) !== encoder.table.columns.length + written.nulls;
  });
  const row = rows[rowIndex];
  const column = row === undefined ? undefined : encoder.columnWhere(row, isControl);
  throw new RowRefused(
    { table: encoder.table.name, rowIndex, column },
    'control_character',
    'a value holds a control character',
  );
}
