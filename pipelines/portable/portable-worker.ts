import type { HolderId } from '#infra/fleet/carried-ack-id.ts';
import type { HeldBounds, Holder } from '#infra/fleet/holder.ts';
import {
  acknowledgeCarried,
  createReceipts,
  RECEIPTS_EVERY_MS,
  type Receipts,
} from '#infra/fleet/receipts.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import type { OpenedFeed, OpenedStores } from '#infra/stores/opened-stores.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import type { Membership, MembershipOptions } from '#pipelines/fleet/membership.ts';
import { runErrand, type Errand } from '#pipelines/runner/errand.ts';
import type { Log } from '#pipelines/runner/log.ts';
import { commitAndAcknowledge } from '#pipelines/usage/commit-usage.ts';
import type { UsageCounters } from '#pipelines/usage/counters.ts';
import { acknowledgedThrough } from './acknowledged-through.ts';
import { commitRuntimes } from './commit-runtimes.ts';
import { commitTogether } from './commit-together.ts';
import { keepHolding } from './holding-sessions.ts';
import { createReadByRunner, type ReadByRunner } from './read-by-runner.ts';
import { createReaderRounds, type ReaderRounds } from './reader-rounds.ts';

/**
 * A failed bundle restarts a whole job, which a short outage is not worth; and while a bundle waits the runner can make no checkpoint, so that a long
 * one is.
 */
export const COMMIT_PATIENCE_SECONDS = 60;

/** The handles that a session pulls. */
export interface OpenedSources {
  readonly feeds: readonly OpenedFeed[];
  close(): Promise<void>;
}

/** What a member of a fleet is to a worker that holds messages. */
export type HoldingMembership = Pick<Membership, 'feeds' | 'fenced' | 'claim' | 'errands' | 'leave'>;

/** What a worker process works with, whichever backing it has. */
export interface PortableWorkerOptions {
  /** A name that is never used again. */
  readonly worker: string;
  readonly release: string;
  /** The job that it is of: under this name it hears that the job is drained. Absent where only an engine drains it. */
  readonly job?: string;
  /** What is committed to, and the handles by which messages are acknowledged. The worker closes them. */
  readonly stores: OpenedStores;
  /** Opens handles to pull; again for each session. */
  openSources(): Promise<OpenedSources>;
  /** Takes part in what the workers tell each other: on the embedded stores nothing, since their topics know everything. */
  join(options: MembershipOptions): Promise<HoldingMembership>;
  /** Done for all workers by the one that has their lease, beside the watermark. */
  readonly errandsForAll: readonly Errand[];
  readonly rowsPerCommitMax?: number;
  readonly ackDeadlineSeconds: number;
  readonly latenessMicros: number;
  readonly bounds: HeldBounds;
  /** How long a bundle waits for a store that fails before it fails itself: COMMIT_PATIENCE_SECONDS. */
  readonly commitPatienceSeconds?: number;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly counters: UsageCounters;
  /** A new id for a holder, never given before. */
  newHolderId(): HolderId;
}

/** What the DoFns of the usage graph share in a worker process. */
export interface PortableWorker extends Pick<
  PortableWorkerOptions,
  'scheduler' | 'log' | 'counters' | 'stores'
> {
  readonly commitPatienceSeconds: number;
  /** What commits the deliveries of a feed, appends and acknowledges them. It rejects as `commitAndAcknowledge` does. */
  committer(feed: string): Commit;
  /** Where the readers of a feed read. From the first call on the process holds messages and shares the errands of all. */
  source(feed: string): FeedSource;
  /** Where the runner reads by itself instead. */
  readonly readByRunner: ReadByRunner;
  /** Gives back what it holds, tells what it has acknowledged, and closes its stores. */
  close(): Promise<void>;
}

/** Together with what other bundles of the process bring meanwhile. */
export type Commit = (deliveries: readonly Delivery[]) => Promise<void>;

/** A feed as its readers in this process share it. */
export interface FeedSource {
  readonly rounds: ReaderRounds;
  /** Undefined while the process may hold nothing. */
  holder(): Holder | undefined;
  /** Every message published before is acknowledged, in ms since the epoch; undefined where the topic cannot tell. Never rejects. */
  acknowledgedThroughMs(): Promise<number | undefined>;
}

/** The holders of a process: by feed those that pull now, by id all it ever had. */
export interface Holders {
  readonly byFeed: Map<string, Holder>;
  readonly byId: Map<HolderId, Holder>;
}

/** A worker with stores that are open. It pulls nothing before a reader asks. */
export function createPortableWorker(options: PortableWorkerOptions): PortableWorker {
  const { stores, scheduler, log, counters, commitPatienceSeconds = COMMIT_PATIENCE_SECONDS } = options;
  const holders: Holders = { byFeed: new Map(), byId: new Map() };
  const receipts = createReceipts({
    database: stores.database,
    writer: options.worker,
    holderHere: (id) => holders.byId.get(id),
    clock: scheduler.now,
    onDropped: (ordinals) => log.warn({ ordinals }, 'receipts were dropped: their holders wait in vain'),
  });
  const closing = new AbortController();
  const storing = runErrand(
    { everyMs: RECEIPTS_EVERY_MS, run: () => receipts.store() },
    options,
    closing.signal,
  );
  const commits = committers(options, receipts);
  const readByRunner = createReadByRunner(options, closing.signal);
  const sources = new Map(stores.feeds.map((feed) => [feed.feed, feedSource(options, feed, holders)]));
  let holding: Promise<void> | undefined;
  return {
    ...{ stores, scheduler, log, counters, commitPatienceSeconds, readByRunner },
    committer: (feed) => known(commits, feed),
    source: (feed) => {
      const source = known(sources, feed);
      if (!closing.signal.aborted) holding ??= keepHolding(closing.signal, options, holders);
      return source;
    },
    close: async () => {
      closing.abort();
      await Promise.allSettled([holding, storing, readByRunner.ended()]);
      await receipts.store().catch((error: unknown) => log.warn({ err: error }, 'receipts were not stored'));
      await stores.close();
    },
  };
}

function known<Value>(values: ReadonlyMap<string, Value>, feed: string): Value {
  const value = values.get(feed);
  if (value === undefined)
    throw new RangeError(`the job reads the feed ${feed}, which this worker's environment does not name`);
  return value;
}

function committers(options: PortableWorkerOptions, receipts: Receipts): ReadonlyMap<string, Commit> {
  const runtimeOf = commitRuntimes(options);
  return new Map(
    options.stores.feeds.map((feed) => {
      const runtime = runtimeOf(feed, acknowledgeCarried(feed.topic, receipts));
      // What is doubted comes again.
      const commit: Commit = async (deliveries) => void (await commitAndAcknowledge(runtime, deliveries));
      return [feed.feed, commitTogether(commit)];
    }),
  );
}

function feedSource(
  { worker, scheduler, ackDeadlineSeconds, log }: PortableWorkerOptions,
  { feed }: OpenedFeed,
  { byFeed }: Holders,
): FeedSource {
  const rounds = createReaderRounds({
    ...{ process: worker, clock: scheduler.now, ackDeadlineSeconds },
    onBreak: (reader) => {
      log.info({ feed, reader }, 'a reader begins, or begins anew');
      byFeed.get(feed)?.letGo(reader);
    },
  });
  const through = acknowledgedThrough(scheduler.now, () => byFeed.get(feed)?.topic);
  return { rounds, holder: () => byFeed.get(feed), acknowledgedThroughMs: through };
}
