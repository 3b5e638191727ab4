import { setTimeout } from 'node:timers/promises';
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

/** So long a transaction waits for those of other processes. */
const LOCK_WAIT_MS = 30_000;
/** Between two tries: the shortest a timer can be. SQLite itself would sleep longer and longer, and let those who come later go first. */
const LOCK_RETRY_MS = 1;

/** The one connection of a process that writes. Its callers see to it that one transaction runs at a time. */
export interface Writer {
  /**
   * Commits, but does not bring the commit to the disk: see `newestSeen`. `askedAt`, of the monotonic clock in milliseconds: all who
   * wait for a lock that does not come free hear of it in the same time.
   */
  transact<Result>(work: (tx: Transaction) => Promise<Result>, askedAt: number): Promise<Committed<Result>>;
  /** A write of the driver's own, in a transaction. */
  change<Result>(act: (connection: Connection) => Result): Promise<Result>;
  /**
   * The time of the newest commit that a transaction has made or seen so far. What a transaction found is told to its caller even if it
   * wrote nothing or failed, so it must be on the disk first: else a repeated request could be told that it is done, and then it is not.
   */
  newestSeen(): Instant;
  close(): void;
}

export interface WriterOptions {
  readonly connection: Connection;
  readonly storeOf: (table: Table<object>) => TableStore;
  readonly clock: () => Instant;
}

export function createWriter({ connection, storeOf, clock }: WriterOptions): Writer {
  connection.exec('PRAGMA busy_timeout = 0');
  // Commits are synced by log-sync.ts, off this thread; SQLite goes on syncing the log before it moves pages out of it.
  connection.exec('PRAGMA synchronous = NORMAL');
  let newestSeen: Instant = 0;

  const apply = ({ mutations }: OpenTransaction): { committedAt: Instant; learn: () => void } => {
    if (mutations.size === 0) return { committedAt: lastCommit(connection), learn: () => undefined };
    const committedAt = stampCommit(connection, clock());
    const learned = [...mutations].map(([store, some]) => store.apply(connection, some, committedAt));
    return { committedAt, learn: () => learned.forEach((learn) => learn()) };
  };

  return {
    transact: async (work, askedAt) => {
      await takeLock(connection, askedAt);
      const open = openTransaction(connection, storeOf);
      try {
        const result = await work(open.transaction);
        open.end();
        const { committedAt, learn } = apply(open);
        commit(connection);
        learn();
        newestSeen = committedAt;
        return { result, committedAt };
      } catch (error) {
        open.end();
        rollBack(connection);
        newestSeen = lastCommitOf(connection) ?? newestSeen;
        throw error;
      }
    },
    change: async (act) => {
      await takeLock(connection, performance.now());
      try {
        const result = act(connection);
        commit(connection);
        return result;
      } catch (error) {
        rollBack(connection);
        throw error;
      }
    },
    newestSeen: () => newestSeen,
    close: () => connection.close(),
  };
}

/** After an error, which must not be hidden by another one. */
function lastCommitOf(connection: Connection): Instant | undefined {
  try {
    return lastCommit(connection);
  } catch {
    return undefined;
  }
}

/** SQLite would wait inside the call, and the whole process with it: so it never does, and the event loop goes on between the tries. */
async function takeLock(connection: Connection, askedAt: number): Promise<void> {
  for (;;) {
    try {
      connection.exec('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      const cause = error instanceof StoreError ? error.cause : error;
      if (!isBusy(cause) || performance.now() - askedAt > LOCK_WAIT_MS) throw error;
      await setTimeout(LOCK_RETRY_MS);
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
