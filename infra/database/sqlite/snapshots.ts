import type { Snapshot } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import type { Table } from '#infra/database/table.ts';
import { MAX_READERS } from './reader-pool.ts';
import type { ReaderPool } from './reader-pool.ts';
import type { TableStore } from './table-store.ts';
import { openTransaction } from './transaction.ts';

/** Half of the readers: however many snapshots are wanted, and however long they are kept, plain reads and scans go on. */
export const SNAPSHOTS_MAX = MAX_READERS / 2;

export interface Snapshots {
  /** Waits its turn while as many as there may be are open. */
  take(): Promise<Snapshot>;
  /** Those that wait are refused. */
  close(): void;
}

export function createSnapshots(
  readers: ReaderPool,
  storeOf: (table: Table<object>) => TableStore,
): Snapshots {
  let open = 0;
  let closed = false;
  const waiting: (() => void)[] = [];

  /** Whoever waits longest takes over the place. */
  const ended = (): void => {
    const next = waiting.shift();
    if (next === undefined) open--;
    else next();
  };
  const take = async (): Promise<Snapshot> => {
    if (open < SNAPSHOTS_MAX) open++;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    if (closed) throw new StoreFailure('the database was closed before the snapshot was taken');
    try {
      return openSnapshot(readers, storeOf, ended);
    } catch (error) {
      ended();
      throw error;
    }
  };
  return {
    take,
    close: () => {
      closed = true;
      for (const resume of waiting.splice(0)) resume();
    },
  };
}

function openSnapshot(
  readers: ReaderPool,
  storeOf: (table: Table<object>) => TableStore,
  ended: () => void,
): Snapshot {
  const { connection, at, giveBack } = readers.take();
  const { transaction, end } = openTransaction(connection, storeOf);
  let closed = false;
  return {
    at,
    read: transaction.read,
    scan: transaction.scan,
    close: async () => {
      if (closed) return;
      closed = true;
      end();
      giveBack();
      ended();
    },
  };
}
