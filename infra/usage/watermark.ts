import type { Instant } from '#domain/instant.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import type { Topic } from '#infra/topic/topic.ts';
import { watermark, type Row } from './tables.ts';

/** How long after an event its publishing may come: a promise that a feed declares. Usage is complete up to P minus this. */
export const DEFAULT_LATENESS_MICROS = 3_600_000_000;

export interface FeedName {
  readonly feed: string;
  readonly worker: string;
  /** Null where the feed brings events of every namespace: then all of them wait for it. */
  readonly namespace: string | null;
  readonly latenessMicros: number;
}

/** A feed and where it is asked how far it is acknowledged. */
export interface WatchedFeed extends FeedName {
  readonly topic: Pick<Topic, 'oldestUnacknowledged'>;
}

/**
 * Asks the topics of a process how far they are acknowledged and stores it, in one transaction: a namespace never seems further than the
 * least of its feeds, not even before the others have reported for the first time. Since every acknowledgement follows its commit and its
 * append, everything published before that time is committed, appended or dead-lettered. Returns the least of them, or undefined when a
 * topic cannot tell; then nothing is stored.
 */
export async function storeWatermarks(
  database: Database,
  feeds: readonly WatchedFeed[],
): Promise<Instant | undefined> {
  const rows: Row<typeof watermark>[] = [];
  for (const { topic, ...name } of feeds) {
    const seen = await topic.oldestUnacknowledged();
    if (seen === 'unknown') return undefined;
    rows.push({ ...name, committedThrough: Math.min(seen.oldest ?? seen.at, seen.at), heartbeatAt: seen.at });
  }
  await database.transact(async (tx) => rows.forEach((row) => tx.upsert(watermark, row)));
  return Math.min(...rows.map(({ committedThrough }) => committedThrough));
}

/** The same for one feed. */
export const storeWatermark = (
  { database, topic }: { database: Database; topic: Pick<Topic, 'oldestUnacknowledged'> },
  feed: FeedName,
): Promise<Instant | undefined> => storeWatermarks(database, [{ ...feed, topic }]);

/** How current a namespace's usage is. */
export interface Freshness {
  /** Everything published before is in. */
  readonly asOf: Instant;
  /** Every event that happened before is in, if the declared lateness holds. */
  readonly completeThrough: Instant;
}

export type FeedWatermark = Row<typeof watermark>;

/**
 * Every feed as its furthest worker left it: what one of them found acknowledged stays committed, and the row of a worker that died must
 * not hold the others back for ever. The heartbeat is the newest of any worker.
 */
export async function readFeeds(from: Reads): Promise<FeedWatermark[]> {
  const feeds = new Map<string, FeedWatermark>();
  for await (const row of from.scan(watermark, { prefix: [] })) {
    const known = feeds.get(row.feed) ?? row;
    const furthest = known.committedThrough >= row.committedThrough ? known : row;
    feeds.set(row.feed, { ...furthest, heartbeatAt: Math.max(known.heartbeatAt, row.heartbeatAt) });
  }
  return [...feeds.values()];
}

/** The feeds that bring events of a namespace: its own, and those of every namespace. */
export const feedsOf = (feeds: readonly FeedWatermark[], namespace: string): FeedWatermark[] =>
  feeds.filter((feed) => feed.namespace === null || feed.namespace === namespace);

/** The least over the namespace's feeds; undefined while none has reported. */
export function freshnessOf(feeds: readonly FeedWatermark[], namespace: string): Freshness | undefined {
  let freshness: Freshness | undefined;
  for (const { committedThrough, latenessMicros } of feedsOf(feeds, namespace)) {
    freshness = {
      asOf: Math.min(committedThrough, freshness?.asOf ?? Infinity),
      completeThrough: Math.min(committedThrough - latenessMicros, freshness?.completeThrough ?? Infinity),
    };
  }
  return freshness;
}

export const readFreshness = async (from: Reads, namespace: string): Promise<Freshness | undefined> =>
  freshnessOf(await readFeeds(from), namespace);
