import type { Instant } from '#domain/instant.ts';
import type { FleetWindows } from './windows.ts';

/** What a topic said of all messages of a feed, whoever holds them. */
export interface Evidence {
  /** It was so at the latest then. */
  readonly at: Instant;
  /** 'acknowledged': everything published before `through` is acknowledged. 'delivered': it was delivered to somebody. */
  readonly kind: 'acknowledged' | 'delivered';
  readonly through: Instant;
  /** Since when the worker has had room for whatever comes, without a break. */
  readonly steadySince: Instant;
}

/** What a worker answers for in a feed, true as of `claimedAt`. */
export interface Claim {
  readonly claimedAt: Instant;
  /** The least publish time of what it was given and what is neither committed nor surely with somebody else. */
  readonly oldest: Instant | null;
  readonly evidence: readonly Evidence[];
}

export interface Combined<Some extends Claim = Claim> {
  /** Everything published before is committed. */
  readonly through: Instant;
  /** Claims of dead workers that say nothing any more: whatever they held is with others. */
  readonly expired: readonly Some[];
}

/**
 * How far a feed is committed, by what its workers say together; undefined while they cannot tell, and then the watermark stands where it
 * was. Never ahead of a message that is not committed: decision 0032 has the argument.
 */
export function combineClaims<Some extends Claim>(
  claims: readonly Some[],
  now: Instant,
  windows: FleetWindows,
): Combined<Some> | undefined {
  const recent = claims
    .flatMap(({ evidence }) => evidence)
    .filter(({ at }) => now - at <= 2 * windows.freshMicros);
  const acknowledged = greatest(recent.filter(({ kind }) => kind === 'acknowledged'));
  const expired = claims.filter((claim) => isExpired(claim, recent, { now, windows }));
  const counting = claims.filter((claim) => !expired.includes(claim));
  const through = acknowledged ?? deliveredThrough(counting, recent, { now, windows });
  if (through === undefined) return undefined;
  return {
    through: counting.reduce((least, { oldest }) => Math.min(least, oldest ?? least), through),
    expired,
  };
}

interface Moment {
  readonly now: Instant;
  readonly windows: FleetWindows;
}

/**
 * A worker that says nothing any more holds no lease after some time, and what it held is delivered again while somebody has room. Who
 * can tell that everything is acknowledged need not wait for that.
 */
function isExpired({ claimedAt }: Claim, recent: readonly Evidence[], { now, windows }: Moment): boolean {
  const { expiryMicros, leaseEndMicros, redeliveryMicros, skewMicros } = windows;
  if (now - claimedAt < expiryMicros) return false;
  const leasesEnd = claimedAt + leaseEndMicros;
  return recent.some(
    ({ kind, at, steadySince }) =>
      kind === 'acknowledged' || at - Math.max(steadySince, leasesEnd) >= redeliveryMicros + skewMicros,
  );
}

const greatest = (evidence: readonly Evidence[]): Instant | undefined =>
  evidence.length === 0 ? undefined : Math.max(...evidence.map(({ through }) => through));

/** Everything before was delivered to somebody before any of the claims was made, so that the claims tell who still has it. */
function deliveredThrough(
  claims: readonly Claim[],
  recent: readonly Evidence[],
  { now, windows: { freshMicros, skewMicros } }: Moment,
): Instant | undefined {
  const leastRecent = Math.min(...claims.map(({ claimedAt }) => claimedAt));
  if (claims.length === 0 || now - leastRecent > freshMicros) return undefined;
  return greatest(recent.filter(({ at }) => at <= leastRecent - skewMicros));
}
