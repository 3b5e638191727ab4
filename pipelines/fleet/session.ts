import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { createLimitMemory } from '#infra/entitlements/foreseen-limits.ts';
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
import { joinFleet, type Membership } from './membership.ts';

/** Of a fleet that has nothing to do: each pull waits for messages by itself. */
const IDLE_MS = 20;

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
  readonly membership: Membership;
  readonly runtimes: readonly UsageRuntime[];
  /** Starts a process for backfills and reconciliations that were asked for. */
  readonly batch: BatchErrand;
}

/** A worker among the others of its fleet, from entering it to leaving it. The stores stay the caller's, but for the topics, which it closes. */
export async function runSession(signal: AbortSignal, options: SessionOptions): Promise<SessionEnd> {
  const session = await enter(options);
  const { membership } = session;
  // It belongs to the fleet, and its claims count, before it is given anything.
  await membership.claim();
  options.progress.pulls(options.stores, membership.row.slot);
  const ended = AbortSignal.any([signal, membership.fenced]);
  const runner = createUsageRunner({
    ...options,
    name: options.worker,
    runtimes: session.runtimes,
    errands: membership.errands(errandsForAll(session)),
    idleMs: IDLE_MS,
  });
  const running = runner.run(ended);
  const isOver = await drained(session, ended, running);
  await leave(session);
  if (!signal.aborted) return 'fenced';
  return isOver ? 'drained' : 'overdue';
}

async function enter(options: SessionOptions): Promise<Session> {
  const { stores, scheduler, counters } = options;
  const { database, warehouse } = stores;
  const clock = scheduler.now;
  const membership = await joinFleet({
    ...options,
    database,
    feeds: stores.feeds,
    onClaim: options.progress.claimed,
  });
  const catalogues = createCatalogues(database);
  const limitMemory = createLimitMemory();
  return {
    ...options,
    membership,
    runtimes: membership.feeds.map(({ feed, rule, topic }) => ({
      commit: { database, catalogues, feed, slot: membership.row.slot, clock, limitMemory },
      namespaces: rule,
      topic,
      warehouse,
      counters,
      rowsPerCommitMax: ROWS_PER_COUNTED_COMMIT_MAX,
    })),
    batch: batchErrand({
      ...{ database, scheduler, log: options.log },
      args: [],
      environment: { MILLRACE_BACKEND: 'gcp' },
    }),
  };
}

/** Those of the fleet, while they are its. */
const errandsForAll = ({ stores, scheduler, log, worker, batch }: Session): readonly Errand[] => [
  batch,
  ...usageErrands({
    name: worker,
    database: stores.database,
    topics: stores.feeds.map(({ topic }) => topic),
    scheduler,
    log,
    maintain: async () => void (await stores.maintain(scheduler.now())),
  }),
];

/** Resolves when the runner has ended, or its time is over; false then. Throws what made the runner end by itself. */
async function drained(session: Session, ended: AbortSignal, running: Promise<void>): Promise<boolean> {
  const { scheduler, drainMs, membership, log, progress } = session;
  const told = new Promise<void>((resolve) => {
    if (ended.aborted) return resolve();
    ended.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([running, told]);
  progress.drains();
  const patience = new AbortController();
  const isOver = await Promise.race([
    running.then(() => true),
    scheduler.sleep(Math.min(drainMs, membership.fencedMs), patience.signal).then(() => false),
  ]);
  patience.abort();
  if (!isOver) {
    running.catch(() => undefined);
    log.error({}, 'a bundle did not end in time: its messages come again');
  }
  return isOver;
}

/** Gives back what was not worked on, and says what it answers for until that is with others. */
async function leave({ stores, batch, membership }: Session): Promise<void> {
  await batch.stop();
  await Promise.allSettled(stores.feeds.map(({ topic }) => topic.close()));
  await membership.leave();
}
