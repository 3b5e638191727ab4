import type { Instant } from '#domain/instant.ts';
import { expiryCutoff } from '#infra/database/sqlite/expiry.ts';
import type { Connection } from '#infra/database/sqlite/connection.ts';
import type { AppendOnlyTable } from './ddl.ts';
import { MAX_PAGE_ROWS } from './page.ts';

/**
 * Deletes whole pages from the oldest on, as far as all their rows are expired, and overridden rows that are expired or hide nothing
 * any more. Ordinals are not used again, so what other processes remember of the deleted rows stays harmless.
 */
export function expirePages(
  of: AppendOnlyTable,
  connection: Connection,
  now: Instant,
  limit: number,
): number {
  const { timeToLive } = of.table;
  if (timeToLive === undefined) return 0;
  const cutoff = expiryCutoff(timeToLive, now);
  const { rows, upTo } = expiredPages(of, connection, cutoff, limit);
  if (rows > 0) {
    connection.statement(`DELETE FROM ${of.pages} WHERE first < ?`).run([upTo]);
    connection.statement(`UPDATE ${of.extent} SET first = ?`).run([upTo]);
  }
  return rows + expireOverride(of, connection, cutoff, limit);
}

/** How many rows the oldest pages hold that are expired whole, and the first ordinal behind them. */
function expiredPages(of: AppendOnlyTable, connection: Connection, cutoff: number, limit: number) {
  const pages = Math.ceil(limit / MAX_PAGE_ROWS);
  const oldest = connection
    .statement(`SELECT first, count, newest FROM ${of.pages} ORDER BY first LIMIT ?`)
    .all([pages]);
  let rows = 0;
  let upTo = 0;
  for (const [first, count, newest] of oldest as Iterable<unknown> as Iterable<
    [number, number, number | null]
  >) {
    if (newest === null || newest >= cutoff) break;
    rows += count;
    upTo = first + count;
  }
  return { rows, upTo };
}

function expireOverride(of: AppendOnlyTable, connection: Connection, cutoff: number, limit: number): number {
  // Over a page that still lives the row must stay: without it the row it hides would be back.
  const hidesNothing = `ordinal < (SELECT first FROM ${of.extent})`;
  const expired = `SELECT key FROM ${of.override} WHERE ${hidesNothing} AND (row IS NULL OR newest < ?) LIMIT ?`;
  return connection.statement(`DELETE FROM ${of.override} WHERE key IN (${expired})`).run([cutoff, limit]);
}
