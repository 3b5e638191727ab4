import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { StatementSync } from 'node:sqlite';
import { toStoreError } from './result-code.ts';

export type SqlValue = null | number | bigint | string | Uint8Array;
export type SqlRow = readonly SqlValue[];

/** Readers never wait for a writer, so this is for the rare moments when a file is opened or recovered. The writer waits by itself. */
export const BUSY_TIMEOUT_MS = 50;
const MAX_STATEMENTS = 512;
/** Of one SQL text: as many scans as are mostly under way side by side. */
const IDLE_STATEMENTS_MAX = 64;
/** Negative: kibibytes, not pages. */
const WRITER_CACHE = -32_768;
const READER_CACHE = -16_384;
/** A page that several batches change is written to the file once in about 64 MB of log, not once a batch. */
const AUTOCHECKPOINT_PAGES = 16_384;

/** A statement that is run to its end inside one call, so that one copy of it is enough. */
export interface Statement {
  get(parameters: readonly SqlValue[]): SqlRow | undefined;
  all(parameters: readonly SqlValue[]): SqlRow[];
  /** How many rows changed. */
  run(parameters: readonly SqlValue[]): number;
}

/** One SQLite connection with its prepared statements; everything it throws is a StoreError. */
export interface Connection {
  readonly role: 'writer' | 'reader';
  statement(sql: string): Statement;
  /** Rows one by one; the caller must finish or return it before the transaction ends. */
  iterate(sql: string, parameters: readonly SqlValue[]): Generator<SqlRow, void>;
  exec(sql: string): void;
  inTransaction(): boolean;
  close(): void;
}

export interface ConnectionOptions {
  readonly role: 'writer' | 'reader';
  readonly readOnly: boolean;
  readonly maxPages?: number;
}

/** A plain number is bound as a double, which a column turns back into an integer; results come as arrays, in half the time of objects. */
function prepare(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}

function configure(database: DatabaseSync, { role, readOnly, maxPages }: ConnectionOptions): void {
  if (!readOnly) database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec(`PRAGMA cache_size = ${role === 'writer' ? WRITER_CACHE : READER_CACHE}`);
  database.exec(`PRAGMA wal_autocheckpoint = ${AUTOCHECKPOINT_PAGES}`);
  if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${maxPages}`);
  if (role === 'reader') database.exec('PRAGMA query_only = 1');
}

export function openConnection(path: string, options: ConnectionOptions): Connection {
  const guard = <Result>(act: () => Result): Result => {
    try {
      return act();
    } catch (error) {
      throw toStoreError(error, path);
    }
  };
  const database = guard(
    () =>
      new DatabaseSync(locationOf(path, options), { readOnly: options.readOnly, timeout: BUSY_TIMEOUT_MS }),
  );
  try {
    guard(() => configure(database, options));
  } catch (error) {
    database.close();
    throw error;
  }
  const statements = statementCache(database, path);
  const idle = new Map<string, StatementSync[]>();

  return {
    role: options.role,
    statement: statements,
    iterate: (sql, parameters) => iterate({ database, idle, path }, sql, parameters),
    exec: (sql) => guard(() => database.exec(sql)),
    inTransaction: () => database.isTransaction,
    close: () => database.close(),
  };
}

/**
 * Only the writer, which is opened first, makes the file. A reader that did so, while the file is away for a moment, would stay on an
 * empty one when the file is back.
 */
function locationOf(path: string, { role, readOnly }: ConnectionOptions): string | URL {
  if (role === 'writer' || readOnly) return path;
  const url = pathToFileURL(path);
  url.searchParams.set('mode', 'rw');
  return url;
}

function statementCache(database: DatabaseSync, path: string): (sql: string) => Statement {
  const statements = new Map<string, Statement>();
  return (sql) => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    // Statements are few and fixed; only updates of arbitrary sets of columns could make them many.
    if (statements.size >= MAX_STATEMENTS) statements.clear();
    const made = makeStatement(database, path, sql);
    statements.set(sql, made);
    return made;
  };
}

function makeStatement(database: DatabaseSync, path: string, sql: string): Statement {
  try {
    const statement = prepare(database, sql);
    return {
      get: (parameters) => {
        try {
          return statement.get(...parameters) as SqlRow | undefined;
        } catch (error) {
          throw toStoreError(error, path);
        }
      },
      all: (parameters) => {
        try {
          return statement.all(...parameters) as unknown as SqlRow[];
        } catch (error) {
          throw toStoreError(error, path);
        }
      },
      run: (parameters) => {
        try {
          return Number(statement.run(...parameters).changes);
        } catch (error) {
          throw toStoreError(error, path);
        }
      },
    };
  } catch (error) {
    throw toStoreError(error, path);
  }
}

interface Iteration {
  readonly database: DatabaseSync;
  readonly idle: Map<string, StatementSync[]>;
  readonly path: string;
}

/** Two scans of the same SQL may be open at once, so each has a statement of its own while it runs. */
function* iterate(on: Iteration, sql: string, parameters: readonly SqlValue[]): Generator<SqlRow, void> {
  const idle = on.idle.get(sql) ?? [];
  try {
    const statement = idle.pop() ?? prepare(on.database, sql);
    const rows = statement.iterate(...parameters);
    try {
      for (let next = rows.next(); next.done !== true; next = rows.next())
        yield next.value as unknown as SqlRow;
    } finally {
      if (on.database.isOpen) rows.return?.();
      if (on.idle.size < MAX_STATEMENTS) on.idle.set(sql, idle);
      if (idle.length < IDLE_STATEMENTS_MAX) idle.push(statement);
    }
  } catch (error) {
    throw toStoreError(error, on.path);
  }
}
