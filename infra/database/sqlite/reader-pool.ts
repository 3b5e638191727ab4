import type { Instant } from '#domain/instant.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { lastCommit } from './commit-clock.ts';
import type { Connection } from './connection.ts';
import { forgetSnapshot } from './settled-rows.ts';

/** Each scan that is under way has a connection of its own, as each shows one snapshot. */
export const MAX_READERS = 64;

export interface ReaderPool {
  /** Runs a read in a snapshot of the newest state. */
  read<Result>(act: (connection: Connection) => Result): Result;
  /** Yields rows of one snapshot, which lasts until the generator ends or is returned. */
  scan<Row>(act: (connection: Connection) => Generator<Row, void>): Generator<Row, void>;
  /** A connection inside a snapshot of the newest state, until it is given back. */
  take(): { readonly connection: Connection; readonly at: Instant; giveBack(): void };
  close(): void;
}

export function createReaderPool(open: () => Connection): ReaderPool {
  const idle: Connection[] = [];
  const all = new Set<Connection>();

  const acquire = (): Connection => {
    const connection = idle.pop();
    if (connection !== undefined) return connection;
    if (all.size >= MAX_READERS) {
      throw new StoreFailure(`${MAX_READERS} scans are open; finish or return some before another starts`);
    }
    const opened = open();
    all.add(opened);
    return opened;
  };

  const release = (connection: Connection): void => {
    forgetSnapshot(connection);
    // A scan may end after the database was closed.
    if (!all.has(connection)) return;
    try {
      if (connection.inTransaction()) connection.statement('ROLLBACK').run([]);
      idle.push(connection);
    } catch {
      // A connection that cannot even end its snapshot is of no use; the next read opens another.
      all.delete(connection);
      connection.close();
    }
  };

  return {
    read: (act) => {
      const connection = acquire();
      try {
        connection.statement('BEGIN').run([]);
        return act(connection);
      } finally {
        release(connection);
      }
    },
    *scan(act) {
      const connection = acquire();
      try {
        connection.statement('BEGIN').run([]);
        yield* act(connection);
      } finally {
        release(connection);
      }
    },
    take: () => {
      const connection = acquire();
      try {
        connection.statement('BEGIN').run([]);
        // A snapshot begins with the first read, not with the BEGIN.
        const at = lastCommit(connection);
        return { connection, at, giveBack: () => release(connection) };
      } catch (error) {
        release(connection);
        throw error;
      }
    },
    close: () => {
      for (const connection of all) connection.close();
      all.clear();
      idle.length = 0;
    },
  };
}
