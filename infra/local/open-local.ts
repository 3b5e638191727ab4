import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import type { Database } from '#infra/database/database.ts';
import type { CommitContext } from '#infra/usage/commit.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { openSqlite, type SqliteDatabase } from '#infra/database/sqlite/open.ts';
import type { Table } from '#infra/database/table.ts';
import type { Instant } from '#domain/instant.ts';
import { openTopic, type EmbeddedTopic } from '#infra/topic/embedded/embedded-topic.ts';
import { USAGE_TABLES } from '#infra/usage/tables.ts';
import {
  openEmbeddedWarehouse,
  type EmbeddedWarehouse,
} from '#infra/warehouse/embedded/embedded-warehouse.ts';
import { warehouseSegment } from '#infra/warehouse/segment.ts';

/** Every table of the embedded database, whatever process opens it. */
export const LOCAL_TABLES: readonly Table<object>[] = [
  ...CATALOGUE_TABLES,
  ...USAGE_TABLES,
  warehouseSegment,
];

/** The feed of the embedded default: one topic, read through one subscription, for one namespace. */
export const LOCAL_FEED = { feed: 'usage', subscription: 'usage', namespace: 'default' } as const;
export const ACK_DEADLINE_SECONDS = 60;

/** Where everything lies, below one directory. */
export const localPaths = (directory: string) => ({
  database: join(directory, 'database', 'millrace.db'),
  topic: join(directory, 'topic'),
  warehouse: join(directory, 'warehouse'),
});

export interface LocalStores {
  readonly database: SqliteDatabase;
  readonly topic: EmbeddedTopic;
  readonly warehouse: EmbeddedWarehouse;
  close(): Promise<void>;
}

/** Opens the embedded stores below a directory, and makes what is missing. Any number of processes may do so. */
export async function openLocal({
  directory,
  clock,
  ackDeadlineSeconds = ACK_DEADLINE_SECONDS,
}: {
  readonly directory: string;
  readonly clock: () => Instant;
  readonly ackDeadlineSeconds?: number;
}): Promise<LocalStores> {
  const paths = localPaths(directory);
  await checkWritable(paths.database);
  const database = openSqlite({ path: paths.database, tables: LOCAL_TABLES, clock });
  const topic = await openTopic({
    directory: paths.topic,
    subscription: LOCAL_FEED.subscription,
    clock,
    ackDeadlineSeconds,
  });
  const warehouse = await openEmbeddedWarehouse({ directory: paths.warehouse, database, now: clock });
  const close = async (): Promise<void> => {
    await topic.close();
    await warehouse.close();
    await database.close();
  };
  return { database, topic, warehouse, close };
}

/**
 * SQLite opens a file that it may not write for reading, without a word, and the handle stays so after the permission is given back:
 * every commit would fail until a restart. So the process says at once what is wrong, and whoever supervises it starts it again.
 */
async function checkWritable(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw new StoreFailure(`${path} may not be written; check the permissions of the file`, error);
  }
}

/** What commits on the local stores work with: one feed, and one slot, since the database has one writer at a time. */
export const localCommitContext = (database: Database, clock: () => Instant): CommitContext => ({
  database,
  catalogues: createCatalogues(database),
  feed: LOCAL_FEED.feed,
  namespace: LOCAL_FEED.namespace,
  slot: 0,
  clock,
});

/** Messages that were never acknowledged within the topic's retention and are gone: the operator must hear of each. */
export type DroppedMessages = Awaited<ReturnType<EmbeddedTopic['maintain']>>['dropped'];

/** One round of upkeep: expired rows, old segments of the topic, small segments of the warehouse. */
export async function maintainLocal(
  { database, topic, warehouse }: LocalStores,
  now: Instant,
): Promise<{ dropped: DroppedMessages }> {
  await database.expire(now);
  const { dropped } = await topic.maintain(now);
  await warehouse.compact();
  await warehouse.sweep();
  return { dropped };
}
