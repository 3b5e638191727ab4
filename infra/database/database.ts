import type { Instant } from '#domain/instant.ts';
import type { Key, KeyRange, Table } from './table.ts';

export interface ReadOptions {
  /** Read a snapshot as of this commit time; strong (the newest state) when absent. */
  readonly at?: Instant;
}

export interface ScanOptions extends ReadOptions {
  /** Scan by this declared index; the range then names a prefix of the index's columns. */
  readonly index?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
  /**
   * For a table that is `partitioned`: only the rows whose partition column lies in [from, to), whatever their key; delivered by
   * partition and then by key. The range names a prefix of the key before that column. On Spanner this is a filter.
   */
  readonly partition?: { readonly from: number; readonly to: number };
}

/** What can be read from: the newest state of a database, one snapshot of it, or a transaction. */
export interface Reads {
  /** Rows in the order of the keys, `undefined` where there is none. Reads started together are one round trip. */
  read<Row extends object>(table: Table<Row>, keys: readonly Key[]): Promise<(Row | undefined)[]>;
  scan<Row extends object>(
    table: Table<Row>,
    range: KeyRange,
    options?: Omit<ScanOptions, 'at'>,
  ): AsyncIterable<Row>;
}

/**
 * One state of the database: the newest when it was taken, whatever is committed afterwards. It must be closed, and soon: a store keeps
 * what a snapshot may still read, and of snapshots that are open at once it has a bounded number, beyond which the next ones wait.
 */
export interface Snapshot extends SnapshotReads {
  close(): Promise<void>;
}

export interface SnapshotReads extends Reads {
  /** Every transaction that was committed at or before this time is in the snapshot, and none after it. */
  readonly at: Instant;
}

/** What a transaction may do. Reads never see the transaction's own writes: those are buffered and applied at the commit. */
export interface Transaction extends Reads {
  /** The commit fails with `AlreadyExists` if the key is taken. */
  insert<Row extends object>(table: Table<Row>, row: Row): void;
  /** Changes the named columns of a row that must exist (else the commit fails with `NotFound`). The key columns are required. */
  update<Row extends object>(table: Table<Row>, row: Partial<Row>): void;
  /** Inserts the row or replaces it whole. */
  upsert<Row extends object>(table: Table<Row>, row: Row): void;
  /** Deletes the row; nothing happens if there is none. */
  delete<Row extends object>(table: Table<Row>, key: Key): void;
}

export interface Committed<Result> {
  readonly result: Result;
  /**
   * Later than that of every transaction that was committed before this one was, as far as anyone could tell: its commit was answered before
   * this one's was asked for, or they have a row in common. Two that ran side by side and have none may share a time. So it is in all
   * processes of a store. One that wrote nothing may give the newest it saw.
   */
  readonly committedAt: Instant;
}

/** Spanner's own operations, and nothing else: a repository written on them runs unchanged on every driver. */
export interface Database {
  read<Row extends object>(
    table: Table<Row>,
    keys: readonly Key[],
    options?: ReadOptions,
  ): Promise<(Row | undefined)[]>;
  scan<Row extends object>(table: Table<Row>, range: KeyRange, options?: ScanOptions): AsyncIterable<Row>;
  /** A snapshot of the newest state, for reads that have to agree with each other. `inSnapshot` takes and closes one. */
  snapshot(): Promise<Snapshot>;
  /**
   * Runs `work` in a serialisable read-write transaction. `work` may run several times and must have no effect of its own.
   * Throws `UnknownOutcome` when the answer of the commit was lost: run the same work again, it finds what it wrote.
   */
  transact<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Committed<Result>>;
  close(): Promise<void>;
}
