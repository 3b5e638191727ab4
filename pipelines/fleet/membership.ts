import { answerFor } from '#infra/fleet/answer-for.ts';
import {
  advanceWatermarks,
  createClaimant,
  storeClaims,
  withdrawClaims,
  type Claimant,
  type FleetFeed,
} from '#infra/fleet/claims.ts';
import { enterFleet } from '#infra/fleet/slots.ts';
import type { FleetWorkerRow, WorkerClaimRow } from '#infra/fleet/tables.ts';
import { CLAIM_EVERY_MS, fleetWindows, type FleetWindows } from '#infra/fleet/windows.ts';
import type { Database } from '#infra/database/database.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { OpenedFeed } from '#infra/stores/opened-stores.ts';
import { giveUpErrands, leasedErrands } from '#pipelines/runner/leased-errands.ts';
import type { Errand } from '#pipelines/runner/errand.ts';
import type { Log } from '#pipelines/runner/log.ts';

const WATERMARK_EVERY_MS = 1_000;
/** After so long without a claim that is stored a worker holds nothing any more, which takes the rest of the time in which a claim is fresh. */
const FENCE_SHARE = 2 / 3;

export interface MembershipOptions {
  /** A name that is never used again: what it answers for outlives it. */
  readonly worker: string;
  readonly release: string;
  readonly database: Database;
  /** The handles that it pulls. */
  readonly feeds: readonly OpenedFeed[];
  readonly ackDeadlineSeconds: number;
  readonly latenessMicros: number;
  readonly scheduler: Scheduler;
  readonly log: Log;
  /** Told the time of each claim that was stored. */
  readonly onClaim?: (at: number) => void;
}

/** What a worker is in its fleet: it says what it holds, so that the watermark of all never passes that, and shares their errands. */
export interface Membership {
  readonly row: FleetWorkerRow;
  /** The same feeds: what is pulled from these handles is answered for. */
  readonly feeds: readonly OpenedFeed[];
  /** Aborted when it could not say what it holds for too long: it has to give everything back within `fencedMs`. */
  readonly fenced: AbortSignal;
  readonly fencedMs: number;
  /** Stores a claim: before anything is pulled, and by the errands from then on. */
  claim(): Promise<void>;
  /** Its own errands, and those of the fleet while they are its: `forAll` beside the watermark. */
  errands(forAll: readonly Errand[]): readonly Errand[];
  /** Takes its rows away, once its handles are closed. What it still answers for stays and expires. */
  leave(): Promise<void>;
}

interface Member extends MembershipOptions {
  readonly row: FleetWorkerRow;
  readonly windows: FleetWindows;
  readonly claimants: readonly Claimant[];
  readonly fenced: AbortController;
  /** When the last claim that is stored was made. */
  claimedAt: number;
  /** Its topics know of all messages themselves, so that its own claims only confirm what they say. */
  topicsKnow: boolean;
}

/** Enters a worker among those of its fleet. The handles stay the caller's. */
export async function joinFleet(options: MembershipOptions): Promise<Membership> {
  const { worker, release, database, scheduler, ackDeadlineSeconds } = options;
  const clock = scheduler.now;
  const windows = fleetWindows(ackDeadlineSeconds);
  const row = await enterFleet(database, worker, { release, now: clock() });
  const answered = options.feeds.map((feed) => ({
    ...feed,
    ...answerFor(feed.topic, { clock, ackDeadlineSeconds, rememberMicros: windows.rememberMicros }),
  }));
  const member: Member = {
    ...{ ...options, row, windows, claimedAt: clock(), topicsKnow: false, fenced: new AbortController() },
    claimants: answered.map(({ feed, ...each }) =>
      createClaimant({ feed, worker, answered: each, clock, windows }),
    ),
  };
  return {
    row,
    feeds: answered.map(({ feed, rule, topic }) => ({ feed, rule, topic })),
    fenced: member.fenced.signal,
    fencedMs: (windows.freshMicros * (1 - FENCE_SHARE)) / 1_000,
    claim: () => claim(member),
    errands: (forAll) => [
      { everyMs: CLAIM_EVERY_MS, run: () => claim(member) },
      { everyMs: CLAIM_EVERY_MS, run: async () => fence(member) },
      ...leasedErrands([watermarkErrand(member), ...forAll], { database, worker, clock }),
    ],
    leave: () => leave(member),
  };
}

async function claim(member: Member): Promise<void> {
  const claims = await Promise.all(member.claimants.map((claimant) => claimant.claim()));
  const claimedAt = Math.min(...claims.map((each) => each.claimedAt));
  await storeClaims(member.database, { ...member.row, heartbeatAt: claimedAt }, claims);
  member.claimedAt = claimedAt;
  member.topicsKnow = claims.every(({ evidence }) => evidence.at(-1)?.kind === 'acknowledged');
  member.onClaim?.(claimedAt);
}

function watermarkErrand({ database, feeds, latenessMicros, scheduler, windows }: Member): Errand {
  const described: FleetFeed[] = feeds.map(({ feed, rule }) => ({
    feed,
    namespace: rule.kind === 'fixed' ? rule.namespace : null,
    latenessMicros,
  }));
  return {
    everyMs: WATERMARK_EVERY_MS,
    run: () => advanceWatermarks(database, described, { now: scheduler.now(), windows }),
  };
}

/** A worker that cannot say what it holds must not hold anything: its claims expire, and the watermark passes what it would not tell of. */
function fence({ claimedAt, topicsKnow, scheduler, windows, log, fenced }: Member): void {
  const silentMicros = scheduler.now() - claimedAt;
  if (topicsKnow || fenced.signal.aborted || silentMicros < windows.freshMicros * FENCE_SHARE) return;
  log.error(
    { silentSeconds: silentMicros / 1e6 },
    'what it holds cannot be stored: it gives everything back',
  );
  fenced.abort();
}

async function leave(member: Member): Promise<void> {
  const { database, worker, log } = member;
  try {
    await withdrawClaims(database, worker, await lastClaims(member));
    await giveUpErrands({ database, worker });
  } catch (error) {
    log.warn({ err: error }, 'its rows are left to expire');
  }
}

/** Where the topics know of all messages, nothing rests on what a worker says; else only its handles know what they gave back. */
const lastClaims = async ({ feeds, worker, claimants, topicsKnow }: Member): Promise<WorkerClaimRow[]> =>
  topicsKnow
    ? feeds.map(({ feed }) => ({ feed, worker, claimedAt: 0, oldest: null, evidence: [] }))
    : Promise.all(claimants.map((claimant) => claimant.claim()));
