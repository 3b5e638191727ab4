import type { EventRow } from './event-row.ts';
import type { MeteredEvent } from './metered-event.ts';

/** What a warehouse column may hold. Quantities are decimal strings, times are RFC 3339 in UTC, hashes are hex. */
export type WarehouseValue = string | number | boolean | null | readonly string[];
export type WarehouseRow = Readonly<Record<string, WarehouseValue>>;

export type QueryParameters = Readonly<Record<string, WarehouseValue>>;

export interface MeteredOptions {
  /** Whether the ids and sources of events are wanted, which only filters look at; without it they may be empty. */
  readonly names?: boolean;
}

/** An analytics store: rows are appended at least once, questions are asked by name. */
export interface Warehouse {
  /** Resolves once the rows are durable. Throws `RowRefused` when it is the row, not the store, that is at fault. */
  append(table: string, rows: readonly WarehouseRow[]): Promise<void>;
  /** The same for rows of `events`, in the form the commit path has them in: on the hot path no row is built twice. */
  appendEvents(rows: readonly EventRow[]): Promise<void>;
  query(name: string, parameters: QueryParameters): AsyncIterable<WarehouseRow>;
  /**
   * All that `metered_events` answers, in the order of time, some thousand events at a time and in the form in which they are folded: on the
   * hot path no row is built of them. It takes the parameters of that question, but none of its pages.
   */
  meteredEvents(
    parameters: QueryParameters,
    options?: MeteredOptions,
  ): AsyncIterable<readonly MeteredEvent[]>;
  close(): Promise<void>;
}
