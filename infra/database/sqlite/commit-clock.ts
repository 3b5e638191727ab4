import type { Instant } from '#domain/instant.ts';
import type { Connection } from './connection.ts';

const LAST_COMMIT = `SELECT value FROM millrace_meta WHERE name = 'lastCommit'`;
const STAMP = `UPDATE millrace_meta SET value = ? WHERE name = 'lastCommit'`;

export const META_DDL = [
  `CREATE TABLE IF NOT EXISTS millrace_meta (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  `INSERT OR IGNORE INTO millrace_meta VALUES ('lastCommit', 0)`,
];

export const lastCommit = (connection: Connection): Instant =>
  Number(connection.statement(LAST_COMMIT).get([])?.[0] ?? 0);

/** The clock may stand or go back; commit times rise all the same, since the last one is kept under the write lock. */
export function stampCommit(connection: Connection, now: Instant): Instant {
  const committedAt = Math.max(lastCommit(connection) + 1, now);
  connection.statement(STAMP).run([committedAt]);
  return committedAt;
}
