import type { EventRow } from './event-row.ts';

/** What a warehouse column may hold. Quantities are decimal strings, times are RFC 3339 in UTC, hashes are hex. */
export type WarehouseValue = string | number | boolean | null | readonly string[];
export type WarehouseRow = Readonly<Record<string, WarehouseValue>>;

export type QueryParameters = Readonly<Record<string, WarehouseValue>>;

/** An analytics store: rows are appended at least once, questions are asked by name. */
export interface Warehouse {
  /** Resolves once the rows are durable. Throws `RowRefused` when it is the row, not the store, that is at fault. */
  append(table: string, rows: readonly WarehouseRow[]): Promise<void>;
  /** The same for rows of `events`, in the form the commit path has them in: on the hot path no row is built twice. */
  appendEvents(rows: readonly EventRow[]): Promise<void>;
  query(name: string, parameters: QueryParameters): AsyncIterable<WarehouseRow>;
  close(): Promise<void>;
}
