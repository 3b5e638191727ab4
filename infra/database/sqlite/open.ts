import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Instant } from '#domain/instant.ts';
import type { Database, ReadOptions } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import type { Table } from '#infra/database/table.ts';
import { createAppendOnlyStore } from './append-only/store.ts';
import { lastCommit } from './commit-clock.ts';
import { BUSY_TIMEOUT_MS, openConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import { createLogSync, type LogSync, type SyncFile } from './log-sync.ts';
import { checkMigrations, isCurrent, migrate } from './migration.ts';
import type { Migration, Schema } from './migration.ts';
import { createReaderPool } from './reader-pool.ts';
import type { PartitionedBounds } from './partitioned/bounds.ts';
import { createPartitionedStore } from './partitioned/store.ts';
import { createRowStore } from './row-store.ts';
import { rememberSettled } from './settled-rows.ts';
import { serialQueue } from '#infra/database/serial-queue.ts';
import { createSnapshots } from './snapshots.ts';
import type { TableStore } from './table-store.ts';
import { createWriter, rollBack, type Writer } from './writer.ts';

export interface SqliteOptions {
  /** A file; its directory is made if need be. */
  readonly path: string;
  readonly tables: readonly Table<object>[];
  /** From number 2 on; see `Migration`. */
  readonly migrations?: readonly Migration[];
  readonly clock: () => Instant;
  readonly readOnly?: boolean;
  /** The file grows no further than this; a full store fails, and works again once there is room. */
  readonly maxBytes?: number;
  /** Smaller ones make what is rare frequent, for a test. */
  readonly partitionedBounds?: PartitionedBounds;
  /** Another one than the system's, for a test. */
  readonly syncFile?: SyncFile;
}

export interface SqliteDatabase extends Database {
  /** Deletes the rows whose time to live ended before `now`, in bounded steps between other transactions; says how many. */
  expire(now: Instant): Promise<number>;
}

const PAGE_BYTES = 4096;
/** Short enough for a transaction that waits meanwhile. */
const EXPIRY_STEP_ROWS = 10_000;

export function openSqlite(options: SqliteOptions): SqliteDatabase {
  const { path, tables, clock, readOnly = false, migrations = [], maxBytes } = options;
  if (path === ':memory:' || path === '')
    throw new StoreFailure('SQLite needs a file: connections share nothing else');
  checkMigrations(migrations);
  if (!readOnly) makeDirectory(path);
  const sizes = maxBytes === undefined ? {} : { maxPages: Math.floor(maxBytes / PAGE_BYTES) };
  const connect = (role: 'writer' | 'reader'): Connection =>
    openConnection(path, { role, readOnly, ...sizes });

  const connection = connect('writer');
  try {
    prepareSchema(connection, { path, tables, migrations }, readOnly);
  } catch (error) {
    connection.close();
    throw error;
  }
  const stores = new Map(tables.map((table) => [table.name, createStore(table, options)]));
  const storeOf = (table: Table<object>): TableStore => {
    const store = stores.get(table.name);
    if (store === undefined) throw new StoreFailure(`${path} was opened without the table ${table.name}`);
    return store;
  };
  const writer = createWriter({ connection, storeOf, clock });
  const log = createLogSync(path, options.syncFile);
  return assemble({ path, readOnly, writer, log, storeOf, stores, connect });
}

interface Parts {
  readonly path: string;
  readonly readOnly: boolean;
  readonly writer: Writer;
  readonly log: LogSync;
  readonly storeOf: (table: Table<object>) => TableStore;
  readonly stores: ReadonlyMap<string, TableStore>;
  readonly connect: (role: 'reader') => Connection;
}

function assemble({ path, readOnly, writer, log, storeOf, stores, connect }: Parts): SqliteDatabase {
  const readers = createReaderPool(() => connect('reader'));
  const snapshots = createSnapshots(readers, storeOf);
  const inTurn = serialQueue();
  let closed = false;
  const check = (): void => {
    if (closed) throw new StoreFailure(`${path} is closed`);
  };
  const checkWritable = (): void => {
    check();
    if (readOnly) throw new StoreFailure(`${path} was opened for reading only`);
    log.check();
  };

  return {
    read: async <Row extends object>(
      table: Table<Row>,
      keys: Parameters<TableStore['read']>[1],
      options?: ReadOptions,
    ) => {
      check();
      return readers.read((connection) => {
        checkTime(connection, options);
        return storeOf(table).read(connection, keys) as (Row | undefined)[];
      });
    },
    async *scan(table, range, options = {}) {
      check();
      const rows = readers.scan((connection) => {
        checkTime(connection, options);
        return storeOf(table).scan(connection, range, options);
      });
      for (const row of rows) yield row as never;
    },
    snapshot: async () => {
      check();
      return snapshots.take();
    },
    transact: async (work) => {
      const askedAt = performance.now();
      checkWritable();
      try {
        return await inTurn(async () => {
          checkWritable();
          return writer.transact(work, askedAt);
        });
      } finally {
        // Out of turn: the next transaction runs while this one is brought to the disk, and then they share a sync.
        await log.upTo(writer.newestSeen());
      }
    },
    expire: (now) =>
      expireRows(stores.values(), now, (act) =>
        inTurn(async () => {
          checkWritable();
          return writer.change(act);
        }),
      ),
    close: () =>
      inTurn(async () => {
        if (closed) return;
        closed = true;
        snapshots.close();
        readers.close();
        // Those whose commits these are hear of a failure themselves.
        await log.upTo(writer.newestSeen()).catch(() => undefined);
        log.close();
        writer.close();
      }),
  };
}

type Change = (act: (connection: Connection) => number) => Promise<number>;

async function expireRows(stores: Iterable<TableStore>, now: Instant, change: Change): Promise<number> {
  let expired = 0;
  for (const store of stores) {
    for (let step = 1; step > 0; expired += step)
      step = await change((connection) => store.expire(connection, now, EXPIRY_STEP_ROWS));
  }
  return expired;
}

function createStore(table: Table<object>, { partitionedBounds }: SqliteOptions): TableStore {
  switch (table.layout.kind) {
    case 'rows':
      return table.layout.settled === undefined
        ? createRowStore(table)
        : rememberSettled(createRowStore(table), table.layout.settled);
    case 'appendOnly':
      return createAppendOnlyStore(table);
    case 'partitioned':
      return createPartitionedStore(table, partitionedBounds);
  }
}

/** SQLite keeps no old versions; a time at or after the last commit means the newest state, though. */
function checkTime(connection: Connection, options: ReadOptions | undefined): void {
  if (options?.at === undefined) return;
  const last = lastCommit(connection);
  if (options.at >= last) return;
  throw new StoreFailure(
    `SQLite keeps no old versions: a read as of ${options.at} is before the last commit, ${last}`,
  );
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw new StoreFailure(
      `${dirname(path)} cannot be made; check its path and permissions: ${String(error)}`,
      error,
    );
  }
}

function prepareSchema(connection: Connection, schema: Schema, readOnly: boolean): void {
  if (isCurrent(connection, schema)) return;
  if (readOnly)
    throw new StoreFailure(`${schema.path} is not of this release's schema; open it for writing once`);
  try {
    // Processes that start together take turns; the second finds nothing left to do.
    connection.exec(`PRAGMA busy_timeout = ${MIGRATION_TIMEOUT_MS}`);
    connection.exec('BEGIN IMMEDIATE');
    migrate(connection, schema);
    connection.exec('COMMIT');
    connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  } catch (error) {
    rollBack(connection);
    throw error;
  }
}

/** A migration may rewrite a large table, and nothing of this process waits for it meanwhile. */
const MIGRATION_TIMEOUT_MS = 60_000;
