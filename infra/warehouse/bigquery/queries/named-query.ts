import type { Parameters } from '../../questions/parameters.ts';
import type { WarehouseRow } from '../../warehouse.ts';
import type { SqlParameters } from './sql-parameters.ts';

/** What answers a question: GoogleSQL over the tables of the dataset. Every column of the answer is text, a list of texts, or null. */
export interface Plan {
  readonly sql: string;
  readonly parameters: SqlParameters;
  /** An answer of more rows is an error, not a part of it: nothing may take it for the whole. */
  readonly rowsMax: number;
  /** Where the question itself asks for the first rows only. */
  readonly limit?: number | undefined;
  present(row: SqlRow): WarehouseRow;
}

export type SqlValue = string | null | readonly string[];
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** `events` is the table of all rows by its full name: what a short one means would depend on the session. */
export type NamedQuery = (parameters: Parameters, events: string) => Plan;
