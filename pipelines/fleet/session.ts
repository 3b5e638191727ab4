import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { createLimitMemory } from '#infra/entitlements/foreseen-limits.ts';
import { answerFor } from '#infra/fleet/answer-for.ts';
import {
  advanceWatermarks,
  createClaimant,
  storeClaims,
  withdrawClaims,
  type Claimant,
  type FleetFeed,
} from '#infra/fleet/claims.ts';
import { createErrandLease } from '#infra/fleet/errand-lease.ts';
import { enterFleet } from '#infra/fleet/slots.ts';
import type { FleetWorkerRow, WorkerClaimRow } from '#infra/fleet/tables.ts';
import { CLAIM_EVERY_MS, fleetWindows, type FleetWindows } from '#infra/fleet/windows.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { ROWS_PER_COUNTED_COMMIT_MAX } from '#infra/usage/commit-bound.ts';
import { batchErrand, type BatchErrand } from '#pipelines/batch/batch-errand.ts';
import type { Errand } from '#pipelines/runner/errand.ts';
import type { Log } from '#pipelines/runner/log.ts';
import { createUsageRunner } from '#pipelines/runner/runner.ts';
import { usageErrands } from '#pipelines/runner/usage-errands.ts';
import type { UsageCounters } from '#pipelines/usage/counters.ts';
import type { UsageRuntime } from '#pipelines/usage/runtime.ts';

/** The errands of a fleet that one worker does for all. */
const ERRANDS = 'usage';
const WATERMARK_EVERY_MS = 1_000;
/** Of a fleet that has nothing to do: each pull waits for messages by itself. */
const IDLE_MS = 20;
/** After so long without a claim that is stored a worker ends its session, which takes the rest of the time in which a claim is fresh. */
const FENCE_SHARE = 2 / 3;

export interface SessionOptions {
  readonly worker: string;
  readonly release: string;
  readonly stores: OpenedStores;
  readonly ackDeadlineSeconds: number;
  readonly latenessMicros: number;
  /** How long the bundles in hand may take when it is told to stop. */
  readonly drainMs: number;
  readonly batchMessagesMax: number;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly counters: UsageCounters;
  /** Told when it pulls, when it has claimed, and when it drains. */
  readonly progress: SessionProgress;
}

export interface SessionProgress {
  claimed(at: number): void;
  pulls(stores: OpenedStores, slot: number): void;
  drains(): void;
}

/**
 * 'drained': it was told to stop, and nothing is in its hands. 'overdue': the same, but a bundle did not end in time; its messages come
 * again. 'fenced': it could not say what it holds for too long, so it holds nothing any more.
 */
export type SessionEnd = 'drained' | 'overdue' | 'fenced';

interface Session extends SessionOptions {
  readonly row: FleetWorkerRow;
  readonly windows: FleetWindows;
  readonly runtimes: readonly UsageRuntime[];
  readonly claimants: readonly Claimant[];
  /** When the last claim that is stored was made. */
  claimedAt: number;
  /** Its topics know of all messages themselves, so that its own claims only confirm what they say. */
  topicsKnow: boolean;
  /** Starts a process for backfills and reconciliations that were asked for. */
  readonly batch: BatchErrand;
}

/** A worker among the others of its fleet, from entering it to leaving it. The stores stay the caller's, but for the topics, which it closes. */
export async function runSession(signal: AbortSignal, options: SessionOptions): Promise<SessionEnd> {
  const session = await enter(options);
  // It belongs to the fleet, and its claims count, before it is given anything.
  await claim(session);
  options.progress.pulls(options.stores, session.row.slot);
  const fenced = new AbortController();
  const ended = AbortSignal.any([signal, fenced.signal]);
  const runner = createUsageRunner({
    ...options,
    name: options.worker,
    runtimes: session.runtimes,
    errands: errandsOf(session, fenced),
    idleMs: IDLE_MS,
  });
  const running = runner.run(ended);
  const isOver = await drained(session, ended, running);
  await leave(session);
  if (!signal.aborted) return 'fenced';
  return isOver ? 'drained' : 'overdue';
}

async function enter(options: SessionOptions): Promise<Session> {
  const { stores, worker, release, scheduler, ackDeadlineSeconds, counters } = options;
  const { database, warehouse, feeds } = stores;
  const windows = fleetWindows(ackDeadlineSeconds);
  const clock = scheduler.now;
  const row = await enterFleet(database, worker, { release, now: clock() });
  const catalogues = createCatalogues(database);
  const limitMemory = createLimitMemory();
  const answered = feeds.map((feed) => ({
    ...feed,
    ...answerFor(feed.topic, { clock, ackDeadlineSeconds, rememberMicros: windows.rememberMicros }),
  }));
  return {
    ...options,
    row,
    windows,
    runtimes: answered.map(({ feed, rule, topic }) => ({
      commit: { database, catalogues, feed, slot: row.slot, clock, limitMemory },
      namespaces: rule,
      topic,
      warehouse,
      counters,
      rowsPerCommitMax: ROWS_PER_COUNTED_COMMIT_MAX,
    })),
    claimants: answered.map(({ feed, ...each }) =>
      createClaimant({ feed, worker, answered: each, clock, windows }),
    ),
    claimedAt: clock(),
    topicsKnow: false,
    batch: batchErrand({
      ...{ database, scheduler, log: options.log },
      args: [],
      environment: { MILLRACE_BACKEND: 'gcp' },
    }),
  };
}

async function claim(session: Session): Promise<void> {
  const claims = await Promise.all(session.claimants.map((claimant) => claimant.claim()));
  const claimedAt = Math.min(...claims.map((each) => each.claimedAt));
  await storeClaims(session.stores.database, { ...session.row, heartbeatAt: claimedAt }, claims);
  session.claimedAt = claimedAt;
  session.topicsKnow = claims.every(({ evidence }) => evidence.at(-1)?.kind === 'acknowledged');
  session.progress.claimed(claimedAt);
}

/** Those of its own, and those of the fleet while they are its. */
function errandsOf(session: Session, fenced: AbortController): readonly Errand[] {
  const { stores, scheduler, log, worker } = session;
  const { database } = stores;
  const clock = scheduler.now;
  const lease = createErrandLease(database, { errand: ERRANDS, worker, clock });
  const forAll = [
    watermarkErrand(session),
    session.batch,
    ...usageErrands({
      name: worker,
      database,
      topics: stores.feeds.map(({ topic }) => topic),
      scheduler,
      log,
      maintain: async () => void (await stores.maintain(clock())),
    }),
  ];
  return [
    { everyMs: CLAIM_EVERY_MS, run: () => claim(session) },
    { everyMs: CLAIM_EVERY_MS, run: async () => fence(session, fenced) },
    ...forAll.map(({ everyMs, run }) => ({
      everyMs,
      run: async () => ((await lease.isMine()) ? run() : undefined),
    })),
  ];
}

function watermarkErrand({ stores, latenessMicros, scheduler, windows }: Session): Errand {
  const feeds: FleetFeed[] = stores.feeds.map(({ feed, rule }) => ({
    feed,
    namespace: rule.kind === 'fixed' ? rule.namespace : null,
    latenessMicros,
  }));
  return {
    everyMs: WATERMARK_EVERY_MS,
    run: () => advanceWatermarks(stores.database, feeds, { now: scheduler.now(), windows }),
  };
}

/** A worker that cannot say what it holds must not hold anything: its claims expire, and the watermark passes what it would not tell of. */
function fence({ claimedAt, topicsKnow, scheduler, windows, log }: Session, fenced: AbortController): void {
  const silentMicros = scheduler.now() - claimedAt;
  if (topicsKnow || fenced.signal.aborted || silentMicros < windows.freshMicros * FENCE_SHARE) return;
  log.error(
    { silentSeconds: silentMicros / 1e6 },
    'what it holds cannot be stored: it gives everything back',
  );
  fenced.abort();
}

/** Resolves when the runner has ended, or its time is over; false then. Throws what made the runner end by itself. */
async function drained(session: Session, ended: AbortSignal, running: Promise<void>): Promise<boolean> {
  const { scheduler, drainMs, windows, log, progress } = session;
  const told = new Promise<void>((resolve) => {
    if (ended.aborted) return resolve();
    ended.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([running, told]);
  progress.drains();
  const fencedMs = (windows.freshMicros * (1 - FENCE_SHARE)) / 1_000;
  const patience = new AbortController();
  const isOver = await Promise.race([
    running.then(() => true),
    scheduler.sleep(Math.min(drainMs, fencedMs), patience.signal).then(() => false),
  ]);
  patience.abort();
  if (!isOver) {
    running.catch(() => undefined);
    log.error({}, 'a bundle did not end in time: its messages come again');
  }
  return isOver;
}

/** Gives back what was not worked on, and says what it answers for until that is with others. */
async function leave(session: Session): Promise<void> {
  const { stores, worker, log, batch } = session;
  await batch.stop();
  await Promise.allSettled(stores.feeds.map(({ topic }) => topic.close()));
  try {
    await withdrawClaims(stores.database, worker, await lastClaims(session));
    await createErrandLease(stores.database, { errand: ERRANDS, worker, clock: () => 0 }).giveUp();
  } catch (error) {
    log.warn({ err: error }, 'its rows are left to expire');
  }
}

/** Where the topics know of all messages, nothing rests on what a worker says; else only its handles know what they gave back. */
const lastClaims = async ({ stores, worker, claimants, topicsKnow }: Session): Promise<WorkerClaimRow[]> =>
  topicsKnow
    ? stores.feeds.map(({ feed }) => ({ feed, worker, claimedAt: 0, oldest: null, evidence: [] }))
    : Promise.all(claimants.map((claimant) => claimant.claim()));
