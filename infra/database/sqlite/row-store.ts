import type { Instant } from '#domain/instant.ts';
import { NotFound, StoreFailure } from '#infra/database/errors.ts';
import type { Key, Table } from '#infra/database/table.ts';
import type { Connection, Statement } from './connection.ts';
import { expiryCutoff } from './expiry.ts';
import { fieldNamed } from '#infra/database/field.ts';
import { decodeRow, encodeValue, quoted } from './field.ts';
import type { StoredRow } from '#infra/database/field.ts';
import { keyOfRow, keyParameters, rowParameters, rowTable } from './row-table.ts';
import type { RowTable } from './row-table.ts';
import { scanStatement } from './scan-statement.ts';
import type { Mutation, TableStore } from './table-store.ts';

/** The layout `rows`: one SQL row a row. */
export function createRowStore(table: Table<object>): TableStore {
  const of = rowTable(table);
  const readOne = (statement: Statement, key: Key): StoredRow | undefined => {
    const stored = statement.get(keyParameters(of, key));
    return stored === undefined ? undefined : decodeRow(of.fields, stored);
  };

  return {
    read: (connection, keys) => {
      const statement = connection.statement(of.select);
      return keys.map((key) => readOne(statement, key));
    },
    *scan(connection, range, options) {
      if (options.partition !== undefined) throw new StoreFailure(`table ${table.name} is not partitioned`);
      const { sql, parameters } = scanStatement(table, range, options);
      for (const stored of connection.iterate(sql, parameters)) yield decodeRow(of.fields, stored);
    },
    apply: (connection, mutations, committedAt) => {
      const to = { of, connection, committedAt };
      for (const mutation of mutations) apply(to, mutation);
      return () => undefined;
    },
    expire: (connection, now, limit) => expire(table, connection, now, limit),
  };
}

interface Target {
  readonly of: RowTable;
  readonly connection: Connection;
  readonly committedAt: Instant;
}

function apply(to: Target, mutation: Mutation): void {
  const { of, connection, committedAt } = to;
  switch (mutation.kind) {
    case 'insert':
      connection.statement(of.insert).run(rowParameters(of, mutation.row, committedAt));
      return;
    case 'upsert':
      connection.statement(of.upsert).run(rowParameters(of, mutation.row, committedAt));
      return;
    case 'update':
      update(to, mutation.row);
      return;
    case 'delete':
      connection.statement(of.remove).run(keyParameters(of, mutation.key));
  }
}

function update({ of, connection, committedAt }: Target, row: StoredRow): void {
  const { table, fields } = of;
  const changed = Object.keys(row).filter((name) => !table.key.includes(name) && row[name] !== undefined);
  // Without a changed column it still has to be known whether the row is there.
  const names = changed.length === 0 ? table.key.slice(0, 1) : changed;
  const set = names.map((name) => `${quoted(name)} = ?`).join(', ');
  const where = table.key.map((name) => `${quoted(name)} = ?`).join(' AND ');
  const parameters = [...names, ...table.key].map((name) =>
    encodeValue(fieldNamed(fields, name, table.name), row[name], committedAt),
  );
  const changes = connection
    .statement(`UPDATE ${quoted(table.name)} SET ${set} WHERE ${where}`)
    .run(parameters);
  if (changes === 0)
    throw new NotFound(`update of ${table.name}: no row ${JSON.stringify(keyOfRow(of, row))}`);
}

function expire(table: Table<object>, connection: Connection, now: Instant, limit: number): number {
  const { timeToLive, name } = table;
  if (timeToLive === undefined) return 0;
  const key = table.key.map(quoted).join(', ');
  const expired = `SELECT ${key} FROM ${quoted(name)} WHERE ${quoted(timeToLive.column)} < ? LIMIT ?`;
  const sql = `DELETE FROM ${quoted(name)} WHERE (${key}) IN (${expired})`;
  return connection.statement(sql).run([expiryCutoff(timeToLive, now), limit]);
}
