import type { Instant } from '#domain/instant.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import type { Topic } from '#infra/topic/topic.ts';
import { watermark, type Row } from './tables.ts';

/** How long after an event its publishing may come: a promise that a feed declares. Usage is complete up to P minus this. */
export const DEFAULT_LATENESS_MICROS = 3_600_000_000;

export interface FeedName {
  readonly feed: string;
  readonly worker: string;
  readonly namespace: string;
  readonly latenessMicros: number;
}

/**
 * Asks the topic how far it is acknowledged and stores it. Since every acknowledgement follows its commit and its append, everything
 * published before that time is committed, appended or dead-lettered. Returns it, or undefined when the topic cannot tell.
 */
export async function storeWatermark(
  { database, topic }: { database: Database; topic: Topic },
  { feed, worker, namespace, latenessMicros }: FeedName,
): Promise<Instant | undefined> {
  const seen = await topic.oldestUnacknowledged();
  if (seen === 'unknown') return undefined;
  const committedThrough = seen.oldest ?? seen.at;
  const row = { feed, worker, namespace, committedThrough, heartbeatAt: seen.at, latenessMicros };
  await database.transact(async (tx) => tx.upsert(watermark, row));
  return committedThrough;
}

/** How current a namespace's usage is. */
export interface Freshness {
  /** Everything published before is in. */
  readonly asOf: Instant;
  /** Every event that happened before is in, if the declared lateness holds. */
  readonly completeThrough: Instant;
}

/**
 * The least over the namespace's feeds; undefined while none has reported. Of a feed's workers the one that is furthest counts: what one
 * of them found acknowledged stays committed, and the row of a worker that died must not hold the others back for ever.
 */
export async function readFreshness(
  from: Database | Transaction,
  namespace: string,
): Promise<Freshness | undefined> {
  const furthest = new Map<string, Row<typeof watermark>>();
  for await (const row of from.scan(watermark, { prefix: [] })) {
    const known = furthest.get(row.feed);
    if (row.namespace !== namespace || (known && known.committedThrough >= row.committedThrough)) continue;
    furthest.set(row.feed, row);
  }
  let freshness: Freshness | undefined;
  for (const { committedThrough, latenessMicros } of furthest.values()) {
    freshness = {
      asOf: Math.min(committedThrough, freshness?.asOf ?? Infinity),
      completeThrough: Math.min(committedThrough - latenessMicros, freshness?.completeThrough ?? Infinity),
    };
  }
  return freshness;
}
