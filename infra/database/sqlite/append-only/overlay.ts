import type { Instant } from '#domain/instant.ts';
import { HASH128_BYTES } from '#domain/metering/hash128.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import type { Connection, SqlValue } from '#infra/database/sqlite/connection.ts';
import { decodeHash, encodeHash } from '#infra/database/sqlite/field.ts';
import type { StoredRow } from '#infra/database/field.ts';
import type { AppendOnlyTable } from './ddl.ts';
import { decodeRowAt, encodePage } from './page.ts';
import { newestOf, rowOf } from './row.ts';

/** What the override says of a key: a row, `deleted`, or nothing. */
export type Overridden = { readonly row: StoredRow | 'deleted' } | undefined;

/**
 * Rows that were changed after they were written. The keys stand in memory, so that the many rows that never change cost no read;
 * a key in memory is a hint only, and what the table says counts.
 */
export interface Overlay {
  /** Reads the keys that other processes added. */
  sync(connection: Connection, upTo: Instant): void;
  get(connection: Connection, key: Hash128): Overridden;
  /** `base` is the ordinal of the row it hides, -1 if there is none. */
  write(
    connection: Connection,
    entry: { key: Hash128; base: number; row: StoredRow | 'deleted' },
    committedAt: Instant,
  ): void;
  learn(keys: Iterable<Hash128>, committedAt: Instant): void;
  all(
    connection: Connection,
  ): Generator<{ readonly key: Hash128; readonly row: StoredRow | 'deleted' }, void>;
}

export function createOverlay(of: AppendOnlyTable): Overlay {
  const keys = new Set<Hash128>();
  let known = 0;

  const decode = (key: Hash128, row: SqlValue | undefined): StoredRow | 'deleted' =>
    row instanceof Uint8Array ? rowOf(of, key, decodeRowAt(of.rest, row, 1, 0)) : 'deleted';

  return {
    sync: (connection, upTo) => {
      if (upTo <= known) return;
      const added = connection.iterate(`SELECT key FROM ${of.override} WHERE sequence > ?`, [known]);
      for (const [key] of added) keys.add(decodeHash(key as Uint8Array));
      known = upTo;
    },
    get: (connection, key) => {
      // Mostly empty, and to look into a set an identity has to be hashed.
      if (keys.size === 0 || !keys.has(key)) return undefined;
      const found = connection
        .statement(`SELECT row FROM ${of.override} WHERE key = ?`)
        .get([encodeHash(of.key, key)]);
      return found === undefined ? undefined : { row: decode(key, found[0]) };
    },
    write: (connection, { key, base, row }, committedAt) => {
      const deleted = row === 'deleted';
      connection
        .statement(`REPLACE INTO ${of.override} (key, sequence, ordinal, newest, row) VALUES (?, ?, ?, ?, ?)`)
        .run([
          encodeHash(of.key, key),
          committedAt,
          base,
          deleted ? null : newestOf(of, [row], committedAt),
          deleted ? null : encodePage(of.rest, [row], committedAt),
        ]);
    },
    learn: (added, committedAt) => {
      for (const key of added) keys.add(key);
      known = Math.max(known, committedAt);
    },
    *all(connection) {
      for (const [key, row] of connection.iterate(`SELECT key, row FROM ${of.override}`, [])) {
        const bytes = key as Uint8Array;
        if (bytes.length === HASH128_BYTES)
          yield { key: decodeHash(bytes), row: decode(decodeHash(bytes), row) };
      }
    },
  };
}
