import type { Instant } from '#domain/instant.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { StoredRow } from '#infra/database/sqlite/field.ts';
import type { AppendOnlyTable } from './ddl.ts';

/** One row out of a page's columns. */
export function rowAt(
  { key, rest }: AppendOnlyTable,
  id: Hash128,
  columns: readonly (readonly unknown[])[],
  at: number,
): StoredRow {
  const row: Record<string, unknown> = { [key.name]: id };
  for (let i = 0; i < rest.length; i++) row[rest[i]?.name ?? ''] = columns[i]?.[at] ?? null;
  return row;
}

/** The greatest value of the column the time to live goes by; null, which keeps the page, when a row has none. */
export function newestOf(
  { table }: AppendOnlyTable,
  rows: readonly StoredRow[],
  committedAt: Instant,
): number | null {
  if (table.timeToLive === undefined) return null;
  const { column } = table.timeToLive;
  let newest = Number.MIN_SAFE_INTEGER;
  for (const row of rows) {
    const value = row[column];
    if (typeof value !== 'number') return null;
    const at = value === commitTimestamp ? committedAt : value;
    if (at > newest) newest = at;
  }
  return newest;
}
