import type { Table } from '#infra/database/table.ts';
import type { TableStore } from '#infra/database/sqlite/table-store.ts';
import { PARTITIONED_BOUNDS } from './bounds.ts';
import { expirePartitions } from './expire.ts';
import { holdNothing, levelWith, readRows } from './held.ts';
import { scanPartitioned } from './scan.ts';
import { applyMutations } from './write.ts';

/** The layout `partitioned`: packed rows, changed through a log, and known to memory as far as they were touched lately. */
export function createPartitionedStore(table: Table<object>, bounds = PARTITIONED_BOUNDS): TableStore {
  const held = holdNothing(table, bounds);
  return {
    read: (connection, keys) => {
      return readRows(levelWith(held, connection), connection, keys);
    },
    scan: (connection, range, options) => scanPartitioned(held, connection, range, options),
    apply: (connection, mutations, committedAt) => {
      return applyMutations(levelWith(held, connection), { connection, committedAt }, mutations);
    },
    expire: (connection, now, limit) => expirePartitions(held, connection, now, limit),
  };
}
