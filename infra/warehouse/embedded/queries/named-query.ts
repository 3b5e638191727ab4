import type { DayRange } from '../../questions/event-scope.ts';
import type { Bindings, EngineRow } from '../engine.ts';
import type { Parameters } from '../../questions/parameters.ts';
import type { WarehouseRow } from '../../warehouse.ts';

/** What answers a question: SQL over a relation named after the table, values bound, never written into it. */
export interface Plan {
  readonly table: string;
  /** Only segments of these days are read; all of them when absent. */
  readonly days?: DayRange | undefined;
  readonly sql: string;
  readonly bindings: Bindings;
  /** An answer of more rows is an error, not a part of it: nothing may take it for the whole. */
  readonly rowsMax: number;
  /** Where the question itself asks for the first rows only. */
  readonly limit?: number | undefined;
  present(row: EngineRow): WarehouseRow;
}

export type NamedQuery = (parameters: Parameters) => Plan;
