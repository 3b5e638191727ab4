import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import type { Database } from '#infra/database/database.ts';
import { createLimitMemory } from '#infra/entitlements/foreseen-limits.ts';
import { FLEET_TABLES } from '#infra/fleet/tables.ts';
import type { CommitContext } from '#infra/usage/commit.ts';
import type { NamespaceRule } from '#infra/usage/feed.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import { openSqlite, type SqliteDatabase } from '#infra/database/sqlite/open.ts';
import type { Table } from '#infra/database/table.ts';
import type { Instant } from '#domain/instant.ts';
import {
  createClosing,
  type OpenedFeed,
  type OpenedStores,
  type Upkeep,
} from '#infra/stores/opened-stores.ts';
import { PLATFORM_TABLES } from '#infra/stores/tables.ts';
import { openTopic, type EmbeddedTopic } from '#infra/topic/embedded/embedded-topic.ts';
import {
  openEmbeddedWarehouse,
  type EmbeddedWarehouse,
} from '#infra/warehouse/embedded/embedded-warehouse.ts';
import { warehouseSegment } from '#infra/warehouse/segment.ts';

/** Every table of the embedded database, whatever process opens it. */
export const LOCAL_TABLES: readonly Table<object>[] = [...PLATFORM_TABLES, ...FLEET_TABLES, warehouseSegment];

/** The feed that producers publish to: everything in it is of one namespace. */
export const LOCAL_FEED = { feed: 'usage', subscription: 'usage', namespace: 'default' } as const;

/** A topic read through one subscription, and how the namespace of a message is told there. */
export interface LocalFeed {
  readonly feed: string;
  readonly subscription: string;
  readonly rule: NamespaceRule;
}

/**
 * The feeds of the embedded default. Only the API publishes to `api`, for every namespace. What is published there without a namespace is
 * found among the dead letters of the operator's own.
 */
export const LOCAL_FEEDS = {
  usage: {
    feed: LOCAL_FEED.feed,
    subscription: LOCAL_FEED.subscription,
    rule: { kind: 'fixed', namespace: LOCAL_FEED.namespace },
  },
  api: { feed: 'api', subscription: 'api', rule: { kind: 'attribute', strays: LOCAL_FEED.namespace } },
} as const satisfies Readonly<Record<string, LocalFeed>>;
export type LocalFeedName = keyof typeof LOCAL_FEEDS;

export const ACK_DEADLINE_SECONDS = 60;

/** Where everything lies, below one directory. */
export const localPaths = (directory: string) => {
  const topics = { usage: join(directory, 'topic'), api: join(directory, 'topic-api') };
  return {
    database: join(directory, 'database', 'millrace.db'),
    topic: topics.usage,
    topics,
    warehouse: join(directory, 'warehouse'),
  };
};

export interface LocalStores extends OpenedStores {
  readonly database: SqliteDatabase;
  readonly topics: Readonly<Record<LocalFeedName, EmbeddedTopic>>;
  /** The one that producers publish to: `topics.usage`. */
  readonly topic: EmbeddedTopic;
  readonly warehouse: EmbeddedWarehouse;
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
  const { keep, close } = createClosing();
  try {
    const database = keep(openSqlite({ path: paths.database, tables: LOCAL_TABLES, clock }));
    const open = async (name: LocalFeedName): Promise<EmbeddedTopic> => {
      const { subscription } = LOCAL_FEEDS[name];
      return keep(
        await openTopic({ directory: paths.topics[name], subscription, clock, ackDeadlineSeconds }),
      );
    };
    const topics = { usage: await open('usage'), api: await open('api') };
    const warehouse = keep(await openEmbeddedWarehouse({ directory: paths.warehouse, database, now: clock }));
    const feeds: OpenedFeed[] = Object.values(LOCAL_FEEDS).map(({ feed, rule }) => ({
      feed,
      rule,
      topic: topics[feed],
    }));
    const opened = { database, topics, topic: topics.usage, warehouse, feeds, apiTopic: topics.api, close };
    return { ...opened, maintain: (now) => maintainLocal(opened, now) };
  } catch (error) {
    // What was opened must not outlive the failure; and what fails now must not hide why.
    await close().catch(() => undefined);
    throw error;
  }
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

/** What commits on the local stores work with: one slot, since the database has one writer at a time. */
export const localCommitContext = (
  database: Database,
  clock: () => Instant,
  feed: LocalFeedName = 'usage',
): CommitContext => ({
  database,
  catalogues: createCatalogues(database),
  feed: LOCAL_FEEDS[feed].feed,
  slot: 0,
  clock,
  limitMemory: createLimitMemory(),
});

/** Messages that were never acknowledged within the topic's retention and are gone: the operator must hear of each. */
export type DroppedMessages = Awaited<ReturnType<EmbeddedTopic['maintain']>>['dropped'];

/** One round of upkeep: expired rows, old segments of the topics, small segments of the warehouse. */
export async function maintainLocal(
  { database, topics, warehouse }: Pick<LocalStores, 'database' | 'topics' | 'warehouse'>,
  now: Instant,
): Promise<Upkeep & { dropped: DroppedMessages }> {
  await database.expire(now);
  const dropped: DroppedMessages[number][] = [];
  for (const topic of Object.values(topics)) dropped.push(...(await topic.maintain(now)).dropped);
  await warehouse.compact();
  await warehouse.sweep();
  return { dropped };
}
