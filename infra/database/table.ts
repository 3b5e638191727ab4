import type { Instant } from '#domain/instant.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';

/** How each column type looks in TypeScript. Decimals travel as strings, 128-bit hashes as binary strings (`Hash128`). */
interface ColumnValues {
  string: string;
  /** A safe integer; a driver throws above 2^53 - 1. */
  int64: number;
  bool: boolean;
  /** Microseconds since the epoch. */
  timestamp: Instant;
  bytes: Uint8Array;
  hash: Hash128;
  /** A plain JSON document, stored as text. */
  json: unknown;
}
export type ColumnType = keyof ColumnValues;

export interface Column<Value> {
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** Takes `commitTimestamp`; and beside it only times of earlier commits, since a store may refuse any other. */
  readonly commitTime?: true;
  /** Only for the compiler: the column's TypeScript type. */
  readonly value?: Value;
}

export const column = <Type extends ColumnType>(type: Type): Column<ColumnValues[Type]> => ({
  type,
  nullable: false,
});
export const nullable = <Type extends ColumnType>(type: Type): Column<ColumnValues[Type] | null> => ({
  type,
  nullable: true,
});
/** When the transaction was committed that wrote it: the only kind of column that may be written as `commitTimestamp`. */
export const commitTime = (): Column<Instant> => ({ type: 'timestamp', nullable: false, commitTime: true });
export const nullableCommitTime = (): Column<Instant | null> => ({
  type: 'timestamp',
  nullable: true,
  commitTime: true,
});
/** A JSON column whose shape the code that writes it vouches for. */
export const jsonColumn = <Value>(): Column<Value> => ({ type: 'json', nullable: false });
/** The same where a row may have none: null is then no JSON document but the absence of one. */
export const nullableJson = <Value>(): Column<Value | null> => ({ type: 'json', nullable: true });

type Columns = Readonly<Record<string, Column<unknown>>>;
export type RowOf<Declared extends Columns> = {
  readonly [Name in keyof Declared]: Declared[Name] extends Column<infer Value> ? Value : never;
};

/** A key, or the beginning of one, in the order of the key columns. */
export type KeyPart = string | number | boolean | null;
export type Key = readonly KeyPart[];

/** Rows whose key begins with `prefix` and whose next key part lies in [from, to); an open end when absent. */
export interface KeyRange {
  readonly prefix: Key;
  readonly from?: KeyPart;
  readonly to?: KeyPart;
}

/** Rows are deleted once `column`, a count of `unit`s since the epoch, is older than `days`; a null column keeps the row. */
export interface TimeToLive {
  readonly column: string;
  readonly days: number;
  readonly unit: 'micros' | 'hours' | 'days';
}

export interface Index {
  readonly columns: readonly string[];
  readonly unique?: boolean;
}

/**
 * How the embedded driver may lay the table out on disk; Spanner ignores it. `rows` is a plain table; a `settled` one is
 * read far more often than written, such as a catalogue, and readers remember its rows until a commit writes a table of the same group, which
 * `settled` names. `appendOnly` is for the event
 * table: rows of random keys that are inserted once and rarely touched again. `partitioned` is for rows that change again and again
 * while their partition (an hour) is current: it has no indexes, and its rows live by the partition's column if they expire.
 */
export type Layout =
  | { readonly kind: 'rows'; readonly settled?: string }
  | { readonly kind: 'appendOnly' }
  | { readonly kind: 'partitioned'; readonly by: string };

/**
 * For a store that keeps ranges of keys on machines: the rows of this table arrive with keys, or with entries of these indexes, that only
 * ever rise (by time, or by an id that has the time in it), so that one machine would take all writes. Such a store spreads them by the
 * hash of `by`, some columns of the key; if the key itself is spread they are its beginning. Rows that agree in `by` stay together. A
 * store on one machine ignores it.
 */
export interface Spread {
  readonly by: readonly string[];
  readonly key?: boolean;
  readonly indexes?: readonly string[];
}

export interface Table<Row extends object> {
  readonly name: string;
  readonly columns: Columns;
  readonly key: readonly string[];
  readonly indexes: Readonly<Record<string, Index>>;
  readonly interleavedIn?: string;
  readonly timeToLive?: TimeToLive;
  readonly spread?: Spread;
  readonly layout: Layout;
  /** Only for the compiler: the row's TypeScript type. */
  readonly row?: Row;
}

interface TableDeclaration<Declared extends Columns> {
  readonly columns: Declared;
  readonly key: readonly (keyof Declared & string)[];
  readonly indexes?: Readonly<
    Record<string, { columns: readonly (keyof Declared & string)[]; unique?: boolean }>
  >;
  readonly interleavedIn?: string;
  readonly timeToLive?: TimeToLive & { readonly column: keyof Declared & string };
  readonly spread?: Spread & { readonly by: readonly (keyof Declared & string)[] };
  readonly layout?: Layout;
}

/** Declares a table once; the DDL of every driver and the row's TypeScript type follow from it. */
export function defineTable<Declared extends Columns>(
  name: string,
  declaration: TableDeclaration<Declared>,
): Table<RowOf<Declared>> {
  return { indexes: {}, layout: { kind: 'rows' }, ...declaration, name };
}

/** As the value of a column that is a `commitTime`: the time of the commit, filled in by the store. */
export const commitTimestamp: Instant = Number.MIN_SAFE_INTEGER;
