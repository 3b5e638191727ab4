import type { Connection } from './connection.ts';
import type { StoredRow } from '#infra/database/field.ts';
import type { TableStore } from './table-store.ts';

const CHANGES = `SELECT value FROM millrace_meta WHERE name = ?`;
const COUNT_CHANGE = `
  INSERT INTO millrace_meta VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1`;

const counterOf = (group: string): string => `settled:${group}`;

/** What a connection's snapshot has been found to be at, by group; forgotten when the snapshot ends. */
const seen = new WeakMap<Connection, Map<string, number>>();

/** How many commits have changed tables of the group, as the connection's snapshot has it. Read once a snapshot. */
function changesOf(connection: Connection, group: string): number {
  const known = seen.get(connection);
  const changes =
    known?.get(group) ?? Number(connection.statement(CHANGES).get([counterOf(group)])?.[0] ?? 0);
  if (known === undefined) seen.set(connection, new Map([[group, changes]]));
  else known.set(group, changes);
  return changes;
}

/** Called when the connection's snapshot is over. */
export const forgetSnapshot = (connection: Connection): void => void seen.delete(connection);

/** Rows that are remembered of one table; beyond it all are forgotten, since they are quickly read again. */
const ROWS_KEPT_MAX = 20_000;
/** Longer scans are not what anybody asks again and again. */
const SCANNED_ROWS_MAX = 1_000;

interface Memory {
  readonly group: string;
  changes: number;
  readonly rows: Map<string, StoredRow | undefined>;
  readonly scans: Map<string, readonly StoredRow[]>;
  kept: number;
}

/**
 * A settled table: read far more often than written. Readers remember its rows, and believe them as long as no commit of any process has
 * changed a table of its group: one number, read once a snapshot, tells. Transactions that write look for themselves.
 */
export function rememberSettled(store: TableStore, group: string): TableStore {
  const memory: Memory = { group, changes: NaN, rows: new Map(), scans: new Map(), kept: 0 };
  return {
    read: (connection, keys) => {
      if (!believes(memory, connection)) return store.read(connection, keys);
      return keys.map((key) => {
        const name = JSON.stringify(key);
        if (memory.rows.has(name)) return memory.rows.get(name);
        const [row] = store.read(connection, [key]);
        keep(memory, 1).rows.set(name, row);
        return row;
      });
    },
    *scan(connection, range, options) {
      if (!believes(memory, connection)) return yield* store.scan(connection, range, options);
      const name = JSON.stringify([range, options]);
      const known = memory.scans.get(name);
      if (known !== undefined) return yield* known;
      const { changes } = memory;
      const rows: StoredRow[] = [];
      for (const row of store.scan(connection, range, options)) {
        if (rows.length <= SCANNED_ROWS_MAX) rows.push(row);
        yield row;
      }
      // Another snapshot may have moved on meanwhile; and a scan that was left before its end says nothing.
      if (rows.length <= SCANNED_ROWS_MAX && memory.changes === changes)
        keep(memory, rows.length + 1).scans.set(name, rows);
    },
    apply: (connection, mutations, committedAt) => {
      const learn = store.apply(connection, mutations, committedAt);
      connection.statement(COUNT_CHANGE).run([counterOf(group)]);
      return learn;
    },
    expire: (connection, now, limit) => {
      const expired = store.expire(connection, now, limit);
      if (expired > 0) connection.statement(COUNT_CHANGE).run([counterOf(group)]);
      return expired;
    },
  };
}

/** Whether what is remembered is what the connection's snapshot shows; memory moves on with a newer snapshot, and leaves an older one alone. */
function believes(memory: Memory, connection: Connection): boolean {
  if (connection.role === 'writer') return false;
  const changes = changesOf(connection, memory.group);
  if (memory.changes === changes) return true;
  if (changes < memory.changes) return false;
  forgetAll(memory);
  memory.changes = changes;
  return true;
}

function keep(memory: Memory, rows: number): Memory {
  if (memory.kept + rows > ROWS_KEPT_MAX) forgetAll(memory);
  memory.kept += rows;
  return memory;
}

function forgetAll(memory: Memory): void {
  memory.rows.clear();
  memory.scans.clear();
  memory.kept = 0;
}
