import type { Transaction } from './database.ts';
import { compareKeys, compareToRange } from './key-order.ts';
import type { Key, KeyPart, KeyRange, Table } from './table.ts';

type Cells = Record<string, unknown>;

/** What the work has written of one table: rows by the text of their key, null where a row was deleted. */
type Written = Map<string, { readonly key: Key; readonly row: Cells | null }>;

/**
 * A transaction that sees its own writes, for work that is put together from steps of which each reads what the one before wrote (amend
 * is a void and a commit). It costs a look-up per read, so the hot path does without. Scans through an index are refused.
 */
export function readYourWrites(tx: Transaction): Transaction {
  const tables = new Map<string, Written>();
  const writtenOf = (table: Table<object>): Written => {
    const written = tables.get(table.name) ?? new Map<string, { key: Key; row: Cells | null }>();
    tables.set(table.name, written);
    return written;
  };
  const note = (table: Table<object>, key: Key, row: Cells | null): void =>
    void writtenOf(table).set(JSON.stringify(key), { key, row });

  const read: Transaction['read'] = async <Row extends object>(table: Table<Row>, keys: readonly Key[]) => {
    const rows = await tx.read(table, keys);
    const written = writtenOf(table);
    return rows.map((row, index) => {
      const own = written.get(JSON.stringify(keys[index]));
      return own === undefined ? row : ((own.row ?? undefined) as Row | undefined);
    });
  };

  async function* scan<Row extends object>(
    table: Table<Row>,
    range: KeyRange,
    options: Parameters<Transaction['scan']>[2] = {},
  ): AsyncIterable<Row> {
    if (options.index !== undefined || options.partition !== undefined) {
      throw new Error('a transaction that reads its own writes scans by key only');
    }
    const merged: { key: Key; row: Row }[] = [];
    const written = writtenOf(table);
    for await (const row of tx.scan(table, range)) {
      const key = keyOf(table, row as Cells);
      if (!written.has(JSON.stringify(key))) merged.push({ key, row });
    }
    for (const { key, row } of written.values()) {
      if (row !== null && compareToRange(key, range) === 0) merged.push({ key, row: row as Row });
    }
    merged.sort((a, b) => compareKeys(a.key, b.key) * (options.reverse ? -1 : 1));
    for (const { row } of merged.slice(0, options.limit)) yield row;
  }

  return {
    read,
    scan,
    insert: (table, row) => {
      note(table, keyOf(table, row as Cells), row as Cells);
      tx.insert(table, row);
    },
    update: () => {
      throw new Error('a transaction that reads its own writes replaces rows whole: use upsert');
    },
    upsert: (table, row) => {
      note(table, keyOf(table, row as Cells), row as Cells);
      tx.upsert(table, row);
    },
    delete: (table, key) => {
      note(table, key, null);
      tx.delete(table, key);
    },
  };
}

const keyOf = (table: Table<object>, row: Cells): Key => table.key.map((name) => row[name] as KeyPart);
