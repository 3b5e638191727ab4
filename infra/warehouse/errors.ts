/** Why a value is refused for good: a closed list, extended deliberately and only here. */
export const REFUSED_VALUE_REASONS = [
  'unknown_column',
  'value_missing',
  'wrong_type',
  'not_one_of',
  'not_a_hash',
  'not_a_time',
  'out_of_range',
  'control_character',
  'lone_surrogate',
  'too_long',
  'rejected_by_store',
] as const;
export type RefusedValueReason = (typeof REFUSED_VALUE_REASONS)[number];

export interface RefusedAt {
  readonly table: string;
  /** Which of the rows that were handed in. */
  readonly rowIndex: number;
  /** Undefined where only the row as a whole is known to be at fault. */
  readonly column?: string | undefined;
}

/**
 * The row itself is at fault: however often it is tried, it is refused. None of the rows of its call was appended; only where the store
 * alone could see the fault (`rejected_by_store`), others of a long call may have been.
 */
export class RowRefused extends Error {
  override readonly name = 'RowRefused';
  readonly table: string;
  readonly rowIndex: number;
  readonly column: string | undefined;
  readonly reason: RefusedValueReason;

  constructor({ table, rowIndex, column }: RefusedAt, reason: RefusedValueReason, detail: string) {
    super(
      `row ${rowIndex} of ${table}${column === undefined ? '' : `, column ${column}`}: ${reason}: ${detail}`,
    );
    this.table = table;
    this.rowIndex = rowIndex;
    this.column = column;
    this.reason = reason;
  }
}

/** The store cannot do its work now (a full disk, a lost directory, no memory); the same call may succeed later. */
export class WarehouseUnavailable extends Error {
  override readonly name = 'WarehouseUnavailable';
}

/** The call asks for more than a named limit allows; the same call can never succeed. */
export class WarehouseLimitExceeded extends RangeError {
  override readonly name = 'WarehouseLimitExceeded';
}

/** A newer release wrote what is stored here: this one would misread it. */
export class WarehouseTooNew extends Error {
  override readonly name = 'WarehouseTooNew';
}

/** The question is at fault: no such query, or a parameter that it does not take. */
export class QueryRefused extends Error {
  override readonly name = 'QueryRefused';
}

/** The question has no exact answer: a sum overflows, or stored text is not the number that it should be. */
export class QueryFailed extends Error {
  override readonly name = 'QueryFailed';
}
