import { setImmediate } from 'node:timers/promises';
import type { Instant } from '#domain/instant.ts';
import type { Committed, Transaction } from '#infra/database/database.ts';
import { StoreError, StoreFailure, UnknownOutcome } from '#infra/database/errors.ts';
import type { Table } from '#infra/database/table.ts';
import { lastCommit, stampCommit } from './commit-clock.ts';
import type { Connection } from './connection.ts';
import { SQLITE_IOERR, isBusy, primaryCodeOf } from './result-code.ts';
import type { TableStore } from './table-store.ts';
import { openTransaction } from './transaction.ts';
import type { OpenTransaction } from './transaction.ts';

/** Each try waits up to BUSY_TIMEOUT_MS: half a minute in all for a transaction of another process. */
const MAX_LOCK_TRIES = 600;

/** The one connection of a process that writes. Its callers see to it that one transaction runs at a time. */
export interface Writer {
  transact<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Committed<Result>>;
  /** A write of the driver's own, in a transaction. */
  change<Result>(act: (connection: Connection) => Result): Promise<Result>;
  close(): void;
}

export interface WriterOptions {
  readonly connection: Connection;
  readonly storeOf: (table: Table<object>) => TableStore;
  readonly clock: () => Instant;
}

export function createWriter({ connection, storeOf, clock }: WriterOptions): Writer {
  const apply = ({ mutations }: OpenTransaction): { committedAt: Instant; learn: () => void } => {
    if (mutations.size === 0) return { committedAt: lastCommit(connection), learn: () => undefined };
    const committedAt = stampCommit(connection, clock());
    const learned = [...mutations].map(([store, some]) => store.apply(connection, some, committedAt));
    return { committedAt, learn: () => learned.forEach((learn) => learn()) };
  };

  return {
    transact: async (work) => {
      await takeLock(connection);
      const open = openTransaction(connection, storeOf);
      try {
        const result = await work(open.transaction);
        open.end();
        const { committedAt, learn } = apply(open);
        commit(connection);
        learn();
        return { result, committedAt };
      } catch (error) {
        open.end();
        rollBack(connection);
        throw error;
      }
    },
    change: async (act) => {
      await takeLock(connection);
      try {
        const result = act(connection);
        commit(connection);
        return result;
      } catch (error) {
        rollBack(connection);
        throw error;
      }
    },
    close: () => connection.close(),
  };
}

/** Between the tries the event loop goes on, so that reads of this process do not wait for the writer of another. */
async function takeLock(connection: Connection): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      connection.exec('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      const cause = error instanceof StoreError ? error.cause : error;
      if (!isBusy(cause) || tries >= MAX_LOCK_TRIES) throw error;
      await setImmediate();
    }
  }
}

function commit(connection: Connection): void {
  try {
    connection.exec('COMMIT');
  } catch (error) {
    const failure = error instanceof StoreError ? error : new StoreFailure('the commit failed', error);
    // The log may hold the commit although its sync failed: after a crash it could be found there.
    if (primaryCodeOf(failure.cause) !== SQLITE_IOERR) throw failure;
    throw new UnknownOutcome(
      `the disk failed during the commit, which may or may not be there: ${failure.message}`,
      failure,
    );
  }
}

/** SQLite ends a transaction itself after some errors (a full disk, say); and a failed rollback must not hide the error before it. */
export function rollBack(connection: Connection): void {
  try {
    if (connection.inTransaction()) connection.exec('ROLLBACK');
  } catch {
    // The next BEGIN says what is wrong if it still is.
  }
}
