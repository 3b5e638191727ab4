import type { Instant } from '#domain/instant.ts';
import { expiryCutoff } from '#infra/database/sqlite/expiry.ts';
import type { Connection } from '#infra/database/sqlite/connection.ts';
import { fold } from './fold.ts';
import { levelWith, partitionBytes } from './held.ts';
import type { Held } from './held.ts';

/** Deletes rows of the oldest partitions. What memory holds is found to be out of date at the next look, here and elsewhere. */
export function expirePartitions(all: Held, connection: Connection, now: Instant, limit: number): number {
  const { of } = all;
  const { timeToLive } = of.table;
  if (timeToLive === undefined) return 0;
  const held = levelWith(all, connection);
  const cutoff = expiryCutoff(timeToLive, now);
  const inLog = held.partitions
    .entries()
    .some(([name, partition]) => (name as number) < cutoff && partition.round === held.round);
  if (inLog) {
    fold(held, connection);
    connection.statement(`UPDATE ${of.extent} SET first = next`).run([]);
  }
  const expired = `SELECT key FROM ${of.rows} WHERE key < ? LIMIT ?`;
  const rows = connection
    .statement(`DELETE FROM ${of.rows} WHERE key IN (${expired})`)
    .run([partitionBytes(of, cutoff), limit]);
  if (rows > 0) connection.statement(`UPDATE ${of.extent} SET expiries = expiries + 1`).run([]);
  return rows;
}
