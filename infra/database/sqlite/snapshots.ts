import type { Snapshot } from '#infra/database/database.ts';
import { createSnapshotPlaces } from '#infra/database/snapshot-places.ts';
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
  const places = createSnapshotPlaces(SNAPSHOTS_MAX);
  return {
    take: () => places.take((ended) => openSnapshot(readers, storeOf, ended)),
    close: places.close,
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
