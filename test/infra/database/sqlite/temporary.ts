import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Instant } from '#domain/instant.ts';
import { openSqlite } from '#infra/database/sqlite/open.ts';
import type { SqliteDatabase, SqliteOptions } from '#infra/database/sqlite/open.ts';
import type { Table } from '#infra/database/table.ts';
import type { OpenedDatabase } from '#test/contract/database/support.ts';

/** A clock that stands still: commit times have to rise by themselves. */
export const standingClock = (): Instant => 1_772_323_200_000_000;

export async function makeDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-database-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A store in a directory of its own, for one test. */
export async function openTemporary(tables: readonly Table<object>[]): Promise<OpenedDatabase> {
  const directory = await makeDirectory();
  const open = () => openSqlite({ path: `${directory.path}/millrace.db`, tables, clock: standingClock });
  let current = open();
  return {
    database: current,
    reopen: async () => {
      await current.close();
      current = open();
      return current;
    },
    close: async () => {
      await current.close();
      await directory.remove();
    },
  };
}

/** Runs a test with a directory, and closes what it opened there. */
export function withDirectory(
  test: (
    open: (options: Omit<SqliteOptions, 'path' | 'clock'> & Partial<SqliteOptions>) => SqliteDatabase,
    path: string,
  ) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const directory = await makeDirectory();
    const path = `${directory.path}/millrace.db`;
    const opened: SqliteDatabase[] = [];
    try {
      await test((options) => {
        const database = openSqlite({ path, clock: standingClock, ...options });
        opened.push(database);
        return database;
      }, path);
    } finally {
      await Promise.all(opened.map((database) => database.close()));
      await directory.remove();
    }
  };
}
