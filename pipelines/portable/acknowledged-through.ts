import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import type { Topic, Unacknowledged } from '#infra/topic/topic.ts';

/** A topic is asked so often at most: each answer costs a transaction of its index, or a question to Cloud Monitoring. */
const ASK_EVERY_MICROS = 1_000_000;

/**
 * Asks how far a feed is acknowledged, in ms since the epoch, as far as its handle can tell: what readers promise a runner of the times
 * that are still to come. Undefined until it was told once; a topic that cannot tell, or fails, changes nothing.
 */
export function acknowledgedThrough(
  clock: () => Instant,
  topicNow: () => Pick<Topic, 'oldestUnacknowledged'> | undefined,
): () => Promise<number | undefined> {
  let through: number | undefined;
  let askedAt: Instant = -Infinity;
  return async () => {
    const topic = topicNow();
    if (topic === undefined || clock() - askedAt < ASK_EVERY_MICROS) return through;
    askedAt = clock();
    const seen = await topic.oldestUnacknowledged().catch(() => 'unknown' as const);
    if (seen !== 'unknown') through = Math.max(through ?? -Infinity, millisOf(seen));
    return through;
  };
}

/** A handle that cannot tell of the others how far they are says 0, which is before everything. */
const millisOf = ({ at, oldest = at }: Unacknowledged): number =>
  Math.floor(Math.min(at, oldest) / MICROS_PER_MILLI);
