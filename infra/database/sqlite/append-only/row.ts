import type { Instant } from '#domain/instant.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { StoredRow } from '#infra/database/field.ts';
import type { AppendOnlyTable } from './ddl.ts';

/** A row from its key and its other values, in the order of the table's other columns. */
export function rowOf({ key, rest }: AppendOnlyTable, id: Hash128, values: readonly unknown[]): StoredRow {
  const row: Record<string, unknown> = { [key.name]: id };
  for (let i = 0; i < rest.length; i++) row[rest[i]?.name ?? ''] = values[i] ?? null;
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
