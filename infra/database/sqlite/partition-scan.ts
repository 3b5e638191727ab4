import type { ScanOptions } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import type { KeyRange, Table } from '#infra/database/table.ts';
import type { Connection, SqlRow } from './connection.ts';
import { nextPartitionStatement, partitionStatement } from './scan-statement.ts';

/** Rows by partition and then by key, one partition after the other, so that the first row costs no more than itself. */
export function* scanByPartition(
  table: Table<object>,
  connection: Connection,
  range: KeyRange,
  options: Omit<ScanOptions, 'at'> & Required<Pick<ScanOptions, 'partition'>>,
): Generator<SqlRow, void> {
  if (table.layout.kind !== 'partitioned') throw new StoreFailure(`table ${table.name} is not partitioned`);
  const reverse = options.reverse === true;
  const next = connection.statement(nextPartitionStatement(table, table.layout.by, reverse));
  let { from, to } = options.partition;
  let left = options.limit ?? Infinity;
  while (left > 0) {
    const partition = next.get([from, to])?.[0];
    if (typeof partition !== 'number') return;
    const { sql, parameters } = partitionStatement(table, range, options, partition);
    for (const row of connection.iterate(sql, parameters)) {
      yield row;
      if (--left === 0) return;
    }
    if (reverse) to = partition;
    else from = partition + 1;
  }
}
