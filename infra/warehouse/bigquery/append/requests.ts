import { RowRefused, WarehouseLimitExceeded } from '../../errors.ts';
import { ROWS_PER_APPEND_MAX, type WarehouseTable } from '../../tables.ts';
import { createMessageBuffer } from './message-buffer.ts';
import type { PutRow } from './row-message.ts';

/** BigQuery takes 10 MB a request; the rest of a request (the description of a row, names, lengths) needs far less than what is left. */
export const REQUEST_BYTES_MAX = 9_000_000;
/** A request is refused as a whole for one row, so it should not hold everything. */
export const REQUEST_ROWS_MAX = 10_000;
/** Names of 256 bytes, data of 64 KiB, attributes of a message of 1 MiB and 200 meters leave room below this. */
export const ROW_BYTES_MAX = 4 * 1024 * 1024;

/** Rows that are sent, and taken or refused, together. */
export interface AppendRequest {
  /** Which of the call's rows is the first. */
  readonly firstRow: number;
  /** Each a protobuf message. */
  readonly rows: readonly Buffer[];
  readonly bytes: number;
}

/**
 * The rows as requests of bounded size. All are encoded, and so checked, before the first is sent: a row that we can see is wrong leaves
 * nothing of its call behind. Throws `RowRefused` and `WarehouseLimitExceeded`.
 */
export function requestsOf<Row>(
  table: WarehouseTable,
  put: PutRow<Row>,
  rows: readonly Row[],
): AppendRequest[] {
  if (rows.length > ROWS_PER_APPEND_MAX)
    throw new WarehouseLimitExceeded(
      `${rows.length} rows in one append, the limit is ${ROWS_PER_APPEND_MAX}`,
    );
  const requests: AppendRequest[] = [];
  for (let firstRow = 0; firstRow < rows.length;) {
    const request = requestFrom(table, put, { rows, firstRow });
    requests.push(request);
    firstRow += request.rows.length;
  }
  return requests;
}

/** As many of the rows from the first on as one request may hold. */
function requestFrom<Row>(
  table: WarehouseTable,
  put: PutRow<Row>,
  { rows, firstRow }: { rows: readonly Row[]; firstRow: number },
): AppendRequest {
  const buffer = createMessageBuffer();
  const ends: number[] = [];
  const last = Math.min(rows.length, firstRow + REQUEST_ROWS_MAX);
  for (let rowIndex = firstRow; rowIndex < last; rowIndex++) {
    const start = buffer.at;
    put(buffer, rows[rowIndex] as Row, rowIndex);
    if (buffer.at - start > ROW_BYTES_MAX)
      throw new RowRefused(
        { table: table.name, rowIndex },
        'too_long',
        `the row takes ${buffer.at - start} bytes, the limit is ${ROW_BYTES_MAX}`,
      );
    // The one row too many is encoded again for the next request.
    if (buffer.at > REQUEST_BYTES_MAX) break;
    ends.push(buffer.at);
  }
  return {
    firstRow,
    rows: ends.map((end, index) => buffer.bytes.subarray(ends[index - 1] ?? 0, end)),
    bytes: ends.at(-1) ?? 0,
  };
}
