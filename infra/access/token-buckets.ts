import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';

/** How much one API key may send through one process. */
export interface BucketLimits {
  readonly eventsPerSecond: number;
  readonly bytesPerSecond: number;
  /** A key that was idle may send what it did not use, up to so many seconds of it. */
  readonly burstSeconds: number;
}

/** Far above what one producer sends, and below what would starve the others of one process. */
export const KEY_LIMITS: BucketLimits = {
  eventsPerSecond: 20_000,
  bytesPerSecond: 20_000_000,
  burstSeconds: 2,
};

export interface Cost {
  readonly events: number;
  readonly bytes: number;
}

/** A token bucket for events and one for bytes for each key, in the memory of one process. */
export interface TokenBuckets {
  /** Takes the cost and answers 0; or takes nothing and answers the seconds, at least 1, after which it can be taken. */
  take(keyId: string, cost: Cost, now: Instant): number;
}

/** Keys whose buckets are kept. A key that is pushed out finds full buckets when it comes again. */
const KEYS_KEPT_MAX = 10_000;

/**
 * When each bucket will be full again: all that a bucket is. One that is full needs no memory, and the time of a cost is the time its
 * tokens take to come back.
 */
interface Buckets {
  eventsFullAt: Instant;
  bytesFullAt: Instant;
}

export function createTokenBuckets({
  eventsPerSecond,
  bytesPerSecond,
  burstSeconds,
}: BucketLimits): TokenBuckets {
  const kept = new Map<string, Buckets>();
  const burstMicros = burstSeconds * MICROS_PER_SECOND;
  const eventMicros = MICROS_PER_SECOND / eventsPerSecond;
  const byteMicros = MICROS_PER_SECOND / bytesPerSecond;
  return {
    take(keyId, cost, now) {
      const { eventsFullAt, bytesFullAt } = kept.get(keyId) ?? { eventsFullAt: now, bytesFullAt: now };
      const events = spend({ fullAt: eventsFullAt, micros: cost.events * eventMicros }, burstMicros, now);
      const bytes = spend({ fullAt: bytesFullAt, micros: cost.bytes * byteMicros }, burstMicros, now);
      const waitMicros = Math.max(events.waitMicros, bytes.waitMicros);
      if (waitMicros > 0) return Math.ceil(waitMicros / MICROS_PER_SECOND);
      kept.delete(keyId);
      kept.set(keyId, { eventsFullAt: events.fullAt, bytesFullAt: bytes.fullAt });
      if (kept.size > KEYS_KEPT_MAX) dropOne(kept, now);
      return 0;
    },
  };
}

/**
 * A cost above the whole bucket is taken when the bucket is full, and the bucket then owes the rest: so nothing that the request limits
 * allow waits for ever.
 */
function spend(
  { fullAt, micros }: { fullAt: Instant; micros: number },
  burstMicros: number,
  now: Instant,
): { waitMicros: number; fullAt: Instant } {
  const missing = Math.max(0, fullAt - now);
  const needed = Math.min(micros, burstMicros);
  return { waitMicros: Math.max(0, missing + needed - burstMicros), fullAt: now + missing + micros };
}

/** The bucket used longest ago, unless a full one, which nobody misses, is near it. */
function dropOne(kept: Map<string, Buckets>, now: Instant): void {
  const LOOKED_AT = 16;
  let oldest: string | undefined;
  let looked = 0;
  for (const [keyId, { eventsFullAt, bytesFullAt }] of kept) {
    oldest ??= keyId;
    if (Math.max(eventsFullAt, bytesFullAt) <= now) return void kept.delete(keyId);
    if (++looked >= LOOKED_AT) break;
  }
  if (oldest !== undefined) kept.delete(oldest);
}
