import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { watermark } from './tables.ts';
import type { FeedName } from './watermark.ts';

/**
 * Stores that everything of a feed that was published before `through` is committed, where nothing can be asked for it: it never goes back. The other
 * feeds of the job get a row beside it when they have none, in the same transaction: a namespace never seems further than the least of its
 * feeds, not even before the others have been told of.
 */
export async function raiseWatermark(
  database: Database,
  feeds: readonly FeedName[],
  { feed, through, now }: { readonly feed: string; readonly through: Instant; readonly now: Instant },
): Promise<void> {
  const keys = feeds.map((each) => [each.feed, each.worker]);
  await database.transact(async (tx) => {
    const rows = await tx.read(watermark, keys);
    feeds.forEach((each, i) => {
      const before = rows[i];
      const isMeant = each.feed === feed;
      if (before !== undefined && !isMeant) return;
      const committedThrough = Math.max(before?.committedThrough ?? 0, isMeant ? through : 0);
      tx.upsert(watermark, { ...each, committedThrough, heartbeatAt: now });
    });
  });
}
