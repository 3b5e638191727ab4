import type { Instant } from '#domain/instant.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import type { Topic, Unacknowledged } from '#infra/topic/topic.ts';
import { watermark } from '#infra/usage/tables.ts';
import type { AnsweredTopic } from './answer-for.ts';
import { combineClaims, type Evidence } from './combine-claims.ts';
import { fleetWorker, workerClaim, type FleetWorkerRow, type WorkerClaimRow } from './tables.ts';
import type { FleetWindows } from './windows.ts';

/** The watermark row of a feed that a fleet serves speaks for all its workers. */
export const FLEET = 'fleet';

/** A feed as its watermark row describes it. */
export interface FleetFeed {
  readonly feed: string;
  /** Null where the feed brings events of every namespace. */
  readonly namespace: string | null;
  readonly latenessMicros: number;
}

/** What a worker can say of one feed. */
export interface Claimant {
  /** What the worker answers for at this moment. Throws what the topic throws. */
  claim(): Promise<WorkerClaimRow>;
}

export interface ClaimantOptions {
  readonly feed: string;
  readonly worker: string;
  readonly answered: Pick<AnsweredTopic, 'oldest'> & {
    readonly topic: Pick<Topic, 'oldestUnacknowledged'>;
  };
  readonly clock: () => Instant;
  readonly windows: FleetWindows;
}

export function createClaimant({ feed, worker, answered, clock, windows }: ClaimantOptions): Claimant {
  let evidence: readonly Evidence[] = [];
  let steadySince: Instant | undefined;
  const learn = (seen: Unacknowledged | 'unknown', at: Instant): void => {
    const said = seen === 'unknown' ? undefined : evidenceIn(seen);
    const isSteady =
      said !== undefined && (said.kind === 'acknowledged' || at - said.through <= windows.steadyLagMicros);
    steadySince = isSteady ? (steadySince ?? at) : undefined;
    evidence = evidence.filter((each) => at - each.at <= 2 * windows.freshMicros);
    if (said !== undefined) evidence = [...evidence, { ...said, at, steadySince: steadySince ?? at }];
  };
  return {
    claim: async () => {
      // Before the topic is asked: what is delivered meanwhile may be missing from its answer, and belongs to the next claim.
      const claimedAt = clock();
      const seen = await answered.topic.oldestUnacknowledged();
      learn(seen, clock());
      const held = seen === 'unknown' || seen.scope !== 'worker' ? undefined : seen.oldest;
      const oldest = Math.min(held ?? Infinity, answered.oldest(steadySince) ?? Infinity);
      return { feed, worker, claimedAt, oldest: Number.isFinite(oldest) ? oldest : null, evidence };
    },
  };
}

/** Undefined where the topic cannot tell. */
function evidenceIn({
  at,
  oldest = at,
  scope,
}: Unacknowledged): Pick<Evidence, 'kind' | 'through'> | undefined {
  if (scope !== 'worker') return { kind: 'acknowledged', through: Math.min(at, oldest) };
  return at > 0 ? { kind: 'delivered', through: at } : undefined;
}

/** Stores that a worker lives and what it answers for. A write that was overtaken by a later one changes nothing. */
export async function storeClaims(
  database: Database,
  worker: FleetWorkerRow,
  claims: readonly WorkerClaimRow[],
): Promise<void> {
  await database.transact(async (tx) => {
    const [[known], stored] = await Promise.all([
      tx.read(fleetWorker, [[worker.worker]]),
      tx.read(
        workerClaim,
        claims.map(({ feed }) => [feed, worker.worker]),
      ),
    ]);
    if ((known?.heartbeatAt ?? 0) <= worker.heartbeatAt) tx.upsert(fleetWorker, worker);
    claims.forEach((claim, i) => {
      if ((stored[i]?.claimedAt ?? 0) <= claim.claimedAt) tx.upsert(workerClaim, claim);
    });
  });
}

/** A worker that is leaving says so by its rows: a claim that still answers for something stays, and ends as a dead worker's does. */
export async function withdrawClaims(
  database: Database,
  worker: string,
  claims: readonly WorkerClaimRow[],
): Promise<void> {
  await database.transact(async (tx) => {
    tx.delete(fleetWorker, [worker]);
    for (const claim of claims) {
      if (claim.oldest === null) tx.delete(workerClaim, [claim.feed, worker]);
      else tx.upsert(workerClaim, claim);
    }
  });
}

/**
 * Moves the watermarks of the feeds as far as the claims of their workers allow, never back, and removes the claims of the dead that say
 * nothing any more. All in one transaction, or none while one feed never was anywhere: a namespace must not seem further for want of a
 * feed that cannot tell yet. Returns the least of them; undefined when nothing was stored.
 */
export async function advanceWatermarks(
  database: Database,
  feeds: readonly FleetFeed[],
  { now, windows }: { readonly now: Instant; readonly windows: FleetWindows },
): Promise<Instant | undefined> {
  const told = await Promise.all(
    feeds.map(async (feed) => {
      const claims = await Array.fromAsync(database.scan(workerClaim, { prefix: [feed.feed] }));
      return { ...feed, claims, combined: combineClaims(claims, now, windows) };
    }),
  );
  // What the claims said together stays true, whatever has been claimed since: so they need not be read again.
  const { result } = await database.transact(async (tx) => {
    const stored = await tx.read(
      watermark,
      feeds.map(({ feed }) => [feed, FLEET]),
    );
    const rows = told.map(({ feed, namespace, latenessMicros, claims, combined }, i) => ({
      ...{ feed, worker: FLEET, namespace, latenessMicros },
      committedThrough: Math.max(stored[i]?.committedThrough ?? -Infinity, combined?.through ?? -Infinity),
      // A fleet that cannot tell is still heard of, for as long as any of its workers is.
      heartbeatAt: Math.max(stored[i]?.heartbeatAt ?? 0, ...claims.map(({ claimedAt }) => claimedAt)),
    }));
    const least = Math.min(...rows.map(({ committedThrough }) => committedThrough));
    if (!Number.isFinite(least)) return undefined;
    for (const row of rows) tx.upsert(watermark, row);
    await deleteUnchanged(
      tx,
      told.flatMap(({ combined }) => combined?.expired ?? []),
    );
    return least;
  });
  return result;
}

/** A worker that was thought dead may have come back meanwhile. */
async function deleteUnchanged(tx: Transaction, claims: readonly WorkerClaimRow[]): Promise<void> {
  const keys = claims.map(({ feed, worker }) => [feed, worker]);
  const stored = keys.length === 0 ? [] : await tx.read(workerClaim, keys);
  claims.forEach(({ feed, worker, claimedAt }, i) => {
    if (stored[i]?.claimedAt === claimedAt) tx.delete(workerClaim, [feed, worker]);
  });
}
