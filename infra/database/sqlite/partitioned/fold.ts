import type { Connection } from '#infra/database/sqlite/connection.ts';
import { HEADER_BYTES, KEY_LENGTH_AT, ROUND_AT, ROW_LENGTH_AT } from './entry.ts';
import type { Held } from './held.ts';
import { sizeAt } from './partition.ts';
import type { Partition } from './partition.ts';

export const isFoldDue = ({ first, next, logBytes, bounds }: Held): boolean =>
  next - first >= bounds.logEntries || logBytes >= bounds.logBytes;

/**
 * Brings the rows of the file to what the log says and empties the log: a row that changed in many commits is written once. Memory, which
 * must be level with the file, has the newest of each.
 */
export function fold(held: Held, connection: Connection): void {
  const { of, round, next } = held;
  for (const partition of held.partitions.values())
    if (partition.round === round) foldPartition(held, connection, partition);
  connection.statement(`DELETE FROM ${of.log} WHERE sequence < ?`).run([next]);
}

function foldPartition({ of, round }: Held, connection: Connection, partition: Partition): void {
  const upsert = connection.statement(`REPLACE INTO ${of.rows} VALUES (?, ?)`);
  const remove = connection.statement(`DELETE FROM ${of.rows} WHERE key = ?`);
  const { entries, used } = partition;
  const { bytes, ints } = entries;
  for (let start = 0; start < used; start += sizeAt(entries, start)) {
    const entry = start >> 2;
    // One that was replaced is of no round.
    if (ints[entry + ROUND_AT] !== round) continue;
    const keyAt = start + HEADER_BYTES;
    const rowAt = keyAt + (ints[entry + KEY_LENGTH_AT] as number);
    const rowLength = ints[entry + ROW_LENGTH_AT] as number;
    const key = bytes.subarray(keyAt, rowAt);
    if (rowLength < 0) remove.run([key]);
    else upsert.run([key, bytes.subarray(rowAt, rowAt + rowLength)]);
  }
}
