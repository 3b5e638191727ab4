import { randomBytes } from 'node:crypto';
import { link, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { hasCode, syncDirectory } from './directory.ts';

const INDEX_FILE = 'topic.db';
const SCHEMA_VERSION = 1;
const SQLITE_CANTOPEN = 14;
/** SQLite waits inside the call, and the whole process with it: only while the file is opened, for a moment. */
const OPEN_TIMEOUT_MS = 1_000;
/** How long a transaction waits for the others, which take well under a millisecond each. */
const LOCK_WAIT_MS = 10_000;
/** Between two tries the event loop goes on: an API must answer others while one process is stuck in a transaction. */
const LOCK_RETRY_MS = 1;
const SQLITE_BUSY = 5;

/**
 * `clock` holds the last time given out and the totals of all groups ever registered; a group's `…Through` are the totals up to it.
 * The id of a deleted segment is never given to another. `cursor` is the publish time of the last group delivered. A lease is one row however its messages are acknowledged: `first`, `past`,
 * `size` and `pending` (the bits) are the `MessageSet` of those that are not. `delivery` 0 is a lease that was given back.
 */
const SCHEMA = `
  CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL, messages INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO clock VALUES (1, 0, 0, 0);
  CREATE TABLE segment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, producer TEXT NOT NULL, open INTEGER NOT NULL, retired INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE message_group (
    publishTime INTEGER PRIMARY KEY, segment INTEGER NOT NULL, position INTEGER NOT NULL, length INTEGER NOT NULL,
    count INTEGER NOT NULL, messagesThrough INTEGER NOT NULL, bytesThrough INTEGER NOT NULL, UNIQUE (segment, position)
  ) STRICT;
  CREATE TABLE subscription (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cursor INTEGER NOT NULL DEFAULT 0, delivery INTEGER NOT NULL DEFAULT 0,
    seekDelivery INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE lease (
    id INTEGER PRIMARY KEY, subscription INTEGER NOT NULL, publishTime INTEGER NOT NULL, deadline INTEGER NOT NULL,
    attempt INTEGER NOT NULL, delivery INTEGER NOT NULL, first INTEGER NOT NULL, past INTEGER NOT NULL, size INTEGER NOT NULL, pending BLOB
  ) STRICT;
  CREATE INDEX leaseByDeadline ON lease (subscription, deadline);
  CREATE INDEX leaseByGroup ON lease (subscription, publishTime);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** What is known about the bytes in the segments: which groups there are, and what each subscription has still to acknowledge. */
export interface TopicIndex {
  readonly database: DatabaseSync;
  /** One writer at a time over all processes: what `work` reads stays true until it is committed. */
  readonly transact: <Result>(work: () => Result) => Promise<Result>;
  /** Like `transact`, and the commit outlives a power cut. */
  readonly transactDurably: <Result>(work: () => Result) => Promise<Result>;
  readonly close: () => void;
}

export async function openIndex(directory: string): Promise<TopicIndex> {
  const created = await mkdir(directory, { recursive: true });
  if (created !== undefined) await syncDirectory(dirname(created));
  const path = join(directory, INDEX_FILE);
  const database = connect(path) ?? (await createIndex(directory, path));
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');

  // From its begin to its commit a transaction is one piece, so that no other of this process comes in between.
  const once = <Result>(work: () => Result): Result => {
    begin.run();
    try {
      const result = work();
      commit.run();
      return result;
    } finally {
      if (database.isTransaction) database.exec('ROLLBACK');
    }
  };
  const onceDurably = <Result>(work: () => Result): Result => {
    database.exec('PRAGMA synchronous = FULL');
    try {
      return once(work);
    } finally {
      database.exec('PRAGMA synchronous = NORMAL');
    }
  };
  const transact = <Result>(work: () => Result): Promise<Result> => whenFree(() => once(work));
  const transactDurably = <Result>(work: () => Result): Promise<Result> => whenFree(() => onceDurably(work));
  database.exec('PRAGMA busy_timeout = 0');
  return { database, transact, transactDurably, close: () => database.close() };
}

/** Tries until no other process holds the lock. */
async function whenFree<Result>(act: () => Result): Promise<Result> {
  for (const startedAt = performance.now(); ;) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || performance.now() - startedAt > LOCK_WAIT_MS) throw error;
      await setTimeout(LOCK_RETRY_MS);
    }
  }
}

/** The extended codes of a busy file have its code in their last byte. */
const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  (error.errcode & 0xff) === SQLITE_BUSY;

/** Undefined if there is no index yet. */
function connect(path: string): DatabaseSync | undefined {
  try {
    return checked(new DatabaseSync(existing(path), { timeout: OPEN_TIMEOUT_MS }));
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_CANTOPEN) return undefined;
    throw error;
  }
}

/** A connection that does not create the file: an index under its final name always has its tables. */
const existing = (path: string): URL => {
  const url = pathToFileURL(path);
  url.searchParams.set('mode', 'rw');
  return url;
};

function checked(database: DatabaseSync): DatabaseSync {
  const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
  if (version !== SCHEMA_VERSION) {
    database.close();
    throw new Error(
      `the topic's index has schema version ${String(version)}, this program knows ${SCHEMA_VERSION}`,
    );
  }
  // Acknowledgements lost in a power cut only mean another delivery, and lost groups are found in the segments again.
  database.exec('PRAGMA synchronous = NORMAL');
  return database;
}

/** Made whole under another name and then linked, so that processes that start together never see half an index. */
async function createIndex(directory: string, path: string): Promise<DatabaseSync> {
  const draft = `${path}.${randomBytes(8).toString('hex')}.new`;
  const database = new DatabaseSync(draft);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(SCHEMA);
  database.close();
  try {
    await link(draft, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(directory);
  const opened = connect(path);
  if (opened === undefined) throw new Error(`the topic's index could not be created: ${path}`);
  return opened;
}
