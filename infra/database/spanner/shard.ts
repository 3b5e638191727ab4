import type { Key } from '#infra/database/table.ts';

/** Machines that the writes to a spread table can go to at once. Never to be changed for a table that has rows. */
export const SHARDS = 16;

/** The column before the key, or before the columns of an index, of what is spread. */
export const SHARD_COLUMN = 'shard';

export const allShards = (): number[] => Array.from({ length: SHARDS }, (_, shard) => shard);

/** Where the rows with these values of the columns that spread them lie; from 0. The rows that are stored rely on it. */
export function shardOf(parts: Key): number {
  const bytes = Buffer.from(JSON.stringify(parts), 'utf8');
  // FNV-1a and a last mix, since neighbouring keys differ in one character.
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) & (SHARDS - 1);
}
