import type { Instant } from '#domain/instant.ts';
import type { Key, KeyPart } from '#infra/database/table.ts';
import type { Connection } from './connection.ts';
import { encodeValue, fieldNamed, quoted } from './field.ts';
import type { StoredRow } from './field.ts';
import { createPartitionCache } from './partition-cache.ts';
import type { CachedPartition } from './partition-cache.ts';
import { keyName } from './physical-order.ts';
import type { KeyedMutation } from './physical-order.ts';
import { asStored } from './row-table.ts';
import type { RowTable } from './row-table.ts';

/** Reads of a partitioned table through what the writer knows of it already. */
export interface CachedRows {
  read(
    connection: Connection,
    keys: readonly Key[],
    readOne: (key: Key) => StoredRow | undefined,
  ): (StoredRow | undefined)[];
  /** Takes over what was just committed. */
  learn(mutations: readonly KeyedMutation[], committedAt: Instant): void;
  forget(): void;
}

export function createCachedRows(of: RowTable, by: string): CachedRows {
  const cache = createPartitionCache();
  const at = of.table.key.indexOf(by);
  const byField = fieldNamed(of.fields, by, of.table.name);
  const anyRow = `SELECT 1 FROM ${quoted(of.table.name)} WHERE ${quoted(by)} = ? LIMIT 1`;
  const partitionOf = (key: Key): KeyPart => key[at] ?? null;

  const learn = ({ mutation, partition: name, key }: KeyedMutation, committedAt: Instant): void => {
    const partition = cache.known(name);
    if (partition === undefined) return;
    if (mutation.kind === 'delete') cache.put(partition, key, null);
    else if (mutation.kind !== 'update') cache.put(partition, key, asStored(of, mutation.row, committedAt));
    else {
      const before = partition.rows.get(key);
      if (before) cache.put(partition, key, { ...before, ...asStored(of, mutation.row, committedAt) });
    }
  };

  return {
    read: (connection, keys, readOne) => {
      let name: KeyPart | undefined;
      let partition: CachedPartition | undefined;
      const isEmpty = (): boolean =>
        connection.statement(anyRow).get([encodeValue(byField, name ?? null)]) === undefined;
      return keys.map((key) => {
        // Neighbouring keys are mostly of one partition; it may have been dropped to make room since.
        if (
          partition === undefined ||
          name !== partitionOf(key) ||
          cache.known(partitionOf(key)) !== partition
        ) {
          name = partitionOf(key);
          partition = cache.partition(name, isEmpty);
        }
        const row = keyName(key);
        const known = partition.rows.get(row);
        if (known !== undefined) return known ?? undefined;
        if (partition.complete) return undefined;
        const found = readOne(key);
        cache.put(partition, row, found ?? null);
        return found;
      });
    },
    learn: (mutations, committedAt) => mutations.forEach((mutation) => learn(mutation, committedAt)),
    forget: () => cache.clear(),
  };
}
