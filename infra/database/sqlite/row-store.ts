import type { Instant } from '#domain/instant.ts';
import type { ScanOptions } from '#infra/database/database.ts';
import { NotFound } from '#infra/database/errors.ts';
import type { Key, KeyRange, Table } from '#infra/database/table.ts';
import { createCachedRows } from './cached-rows.ts';
import type { CachedRows } from './cached-rows.ts';
import type { Connection, Statement } from './connection.ts';
import { physicalKey } from './ddl.ts';
import { expiryCutoff } from './expiry.ts';
import { decodeRow, encodeValue, fieldNamed, quoted } from './field.ts';
import type { StoredRow } from './field.ts';
import { keyOfRow, keyParameters, rowParameters, rowTable } from './row-table.ts';
import type { RowTable } from './row-table.ts';
import { inPhysicalOrder } from './physical-order.ts';
import type { KeyedMutation } from './physical-order.ts';
import { scanByPartition } from './partition-scan.ts';
import { scanStatement } from './scan-statement.ts';
import type { Mutation, TableStore } from './table-store.ts';

/** The layouts `rows` and `partitioned`: one SQL row a row. */
export function createRowStore(table: Table<object>, options: { readonly cache: boolean }): TableStore {
  const of = rowTable(table);
  const { layout } = table;
  const cached = layout.kind === 'partitioned' && options.cache ? createCachedRows(of, layout.by) : undefined;

  const readOne = (statement: Statement, key: Key): StoredRow | undefined => {
    const stored = statement.get(keyParameters(of, key));
    return stored === undefined ? undefined : decodeRow(of.fields, stored);
  };

  return {
    read: (connection, keys) => {
      const statement = connection.statement(of.select);
      const one = (key: Key): StoredRow | undefined => readOne(statement, key);
      // Readers have a snapshot of their own, which what the writer knows may not be of.
      if (cached === undefined || connection.role === 'reader') return keys.map(one);
      return cached.read(connection, keys, one);
    },
    *scan(connection, range, scanOptions) {
      for (const stored of rowsOf(table, connection, range, scanOptions)) yield decodeRow(of.fields, stored);
    },
    apply: (connection, mutations, committedAt) => {
      const to = { of, connection, committedAt };
      if (layout.kind === 'partitioned')
        return applyInOrder(to, cached, inPhysicalOrder(of, layout.by, mutations));
      for (const mutation of mutations) apply(to, mutation);
      return () => undefined;
    },
    forget: () => cached?.forget(),
    expire: (connection, now, limit) => {
      const expired = expire(table, connection, now, limit);
      if (expired > 0) cached?.forget();
      return expired;
    },
  };
}

function rowsOf(
  table: Table<object>,
  connection: Connection,
  range: KeyRange,
  options: Omit<ScanOptions, 'at'>,
) {
  const { partition } = options;
  if (partition !== undefined) return scanByPartition(table, connection, range, { ...options, partition });
  const { sql, parameters } = scanStatement(table, range, options);
  return connection.iterate(sql, parameters);
}

interface Target {
  readonly of: RowTable;
  readonly connection: Connection;
  readonly committedAt: Instant;
}

function applyInOrder(
  to: Target,
  cached: CachedRows | undefined,
  ordered: readonly KeyedMutation[],
): () => void {
  for (const { mutation } of ordered) apply(to, mutation);
  return () => cached?.learn(ordered, to.committedAt);
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
  const key = physicalKey(table).map(quoted).join(', ');
  const expired = `SELECT ${key} FROM ${quoted(name)} WHERE ${quoted(timeToLive.column)} < ? LIMIT ?`;
  const sql = `DELETE FROM ${quoted(name)} WHERE (${key}) IN (${expired})`;
  return connection.statement(sql).run([expiryCutoff(timeToLive, now), limit]);
}
