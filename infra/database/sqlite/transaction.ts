import type { Transaction } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import type { Table } from '#infra/database/table.ts';
import type { Connection } from './connection.ts';
import type { StoredRow } from '#infra/database/field.ts';
import type { Mutation, TableStore } from './table-store.ts';

/** A transaction under way: what its work may call, and what it has buffered. */
export interface OpenTransaction {
  readonly transaction: Transaction;
  readonly mutations: ReadonlyMap<TableStore, readonly Mutation[]>;
  /** From here on it answers nothing more; scans that were left open are closed. */
  end(): void;
}

export function openTransaction(
  connection: Connection,
  storeOf: (table: Table<object>) => TableStore,
): OpenTransaction {
  const mutations = new Map<TableStore, Mutation[]>();
  const scans = new Set<Generator<StoredRow, void>>();
  let ended = false;

  const check = (): void => {
    if (ended)
      throw new StoreFailure('the transaction or snapshot is over; nothing of it may be used any more');
  };
  const buffer = (table: Table<object>, mutation: Mutation): void => {
    check();
    const store = storeOf(table);
    const of = mutations.get(store);
    if (of === undefined) mutations.set(store, [mutation]);
    else of.push(mutation);
  };

  const transaction: Transaction = {
    read: async <Row extends object>(table: Table<Row>, keys: Parameters<TableStore['read']>[1]) => {
      check();
      return storeOf(table).read(connection, keys) as (Row | undefined)[];
    },
    async *scan<Row extends object>(table: Table<Row>, ...[range, options]: ScanArguments) {
      check();
      const rows = storeOf(table).scan(connection, range, options ?? {});
      scans.add(rows);
      try {
        for (const row of rows) {
          yield row as Row;
          check();
        }
      } finally {
        scans.delete(rows);
      }
    },
    insert: (table, row) => buffer(table, { kind: 'insert', row: row as StoredRow }),
    update: (table, row) => buffer(table, { kind: 'update', row: row }),
    upsert: (table, row) => buffer(table, { kind: 'upsert', row: row as StoredRow }),
    delete: (table, key) => buffer(table, { kind: 'delete', key }),
  };
  const end = (): void => {
    ended = true;
    for (const scan of scans) scan.return();
  };
  return { transaction, mutations, end };
}

type ScanArguments = [Parameters<TableStore['scan']>[1], Parameters<TableStore['scan']>[2]?];
