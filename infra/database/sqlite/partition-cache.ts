import type { KeyPart } from '#infra/database/table.ts';
import type { StoredRow } from './field.ts';

/** About 200 MB where rows hold an hour's minutes. */
export const MAX_CACHED_ROWS = 150_000;

/** What one process knows of one partition. */
export interface CachedPartition {
  /** Every row there is stands in `rows`: a key that does not is absent. */
  complete: boolean;
  /** Null: the row is known to be absent. */
  readonly rows: Map<string, StoredRow | null>;
}

/** The rows of the partitions that were touched last. It is exact only while nobody else writes: its owner then forgets it. */
export interface PartitionCache {
  /** `isEmpty` is asked when the partition is new here: an empty one is known completely. */
  partition(name: KeyPart, isEmpty: () => boolean): CachedPartition;
  put(partition: CachedPartition, key: string, row: StoredRow | null): void;
  /** The partition if something is known of it. */
  known(name: KeyPart): CachedPartition | undefined;
  clear(): void;
}

export function createPartitionCache(maxRows = MAX_CACHED_ROWS): PartitionCache {
  // In the order of use, the oldest first.
  const partitions = new Map<KeyPart, CachedPartition>();
  let latest: KeyPart = null;
  let rows = 0;

  const touch = (name: KeyPart, partition: CachedPartition): CachedPartition => {
    if (name === latest) return partition;
    partitions.delete(name);
    partitions.set(name, partition);
    latest = name;
    return partition;
  };

  const drop = (name: KeyPart, partition: CachedPartition): void => {
    rows -= partition.rows.size;
    partition.rows.clear();
    partition.complete = false;
    partitions.delete(name);
    if (name === latest) latest = null;
  };

  const shrink = (): void => {
    for (const [name, partition] of partitions) {
      if (rows <= maxRows) return;
      drop(name, partition);
    }
  };

  return {
    partition: (name, isEmpty) => {
      const known = partitions.get(name);
      return touch(name, known ?? { complete: isEmpty(), rows: new Map() });
    },
    put: (partition, key, row) => {
      const before = partition.rows.size;
      partition.rows.set(key, row);
      rows += partition.rows.size - before;
      if (rows > maxRows) shrink();
    },
    known: (name) => partitions.get(name),
    clear: () => {
      partitions.clear();
      latest = null;
      rows = 0;
    },
  };
}
