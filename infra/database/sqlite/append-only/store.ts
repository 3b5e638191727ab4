import type { Table } from '#infra/database/table.ts';
import type { TableStore } from '#infra/database/sqlite/table-store.ts';
import { expirePages } from './expire.ts';
import { find, holdNothing, identityOf, ordinalsBelow, sync } from './held.ts';
import { scanInKeyOrder } from './scan.ts';
import { applyMutations } from './write.ts';

/** The layout `appendOnly`: rows in pages in the order they came, found through an exact index in memory. */
export function createAppendOnlyStore(table: Table<object>): TableStore {
  const held = holdNothing(table);
  return {
    read: (connection, keys) => {
      const ordinalOf = ordinalsBelow(held, connection, sync(held, connection));
      return keys.map(([id]) => find(held, connection, identityOf(held.of, id), ordinalOf));
    },
    scan: (connection, range, options) => scanInKeyOrder(held, connection, range, options),
    apply: (connection, mutations, committedAt) => {
      sync(held, connection);
      return applyMutations(held, { connection, committedAt }, mutations);
    },
    expire: (connection, now, limit) => expirePages(held.of, connection, now, limit),
  };
}
