import type { Instant } from '#domain/instant.ts';
import type { FeedName } from '#infra/usage/watermark.ts';
import { raiseWatermark } from '#infra/usage/raise-watermark.ts';
import { runErrand } from '#pipelines/runner/errand.ts';
import { giveUpErrands, leasedErrands } from '#pipelines/runner/leased-errands.ts';
import { commitAndAcknowledge } from '#pipelines/usage/commit-usage.ts';
import { commitRuntimes } from './commit-runtimes.ts';
import { commitTogether } from './commit-together.ts';
import { heldBackUntil, recordableThrough } from './markers.ts';
import type { Commit, PortableWorkerOptions } from './portable-worker.ts';

/** What a worker does where the runner itself reads and acknowledges: it holds nothing, and nobody but the runner brings a message back. */
export interface ReadByRunner {
  /** Commits and appends; rejects as long as anything is left of the deliveries. */
  committer(feed: string): Commit;
  /** One that begins now. From the first call on the process shares the errands of all. */
  recorder(feed: string): MarkerRecorder;
  /** Resolves when its errands have ended, after the signal. */
  ended(): Promise<void>;
}

/** Turns what the watermark of the read has passed into what is committed through. */
export interface MarkerRecorder {
  /** These slots are passed, and what was read of them is committed. Never rejects: what cannot be stored, a later slot says as well. */
  record(slotEndsMs: readonly number[]): Promise<void>;
}

/** The store refused a delivery and nothing was stored beside it that shows which of them is at fault; nobody delivers it again. */
class LeftUncommitted extends Error {
  override readonly name = 'LeftUncommitted';
}

/** One row a feed, whoever records: markers of a feed come to one worker at a time. */
const MARKERS = 'markers';

export function createReadByRunner(options: PortableWorkerOptions, signal: AbortSignal): ReadByRunner {
  const { stores, latenessMicros } = options;
  const commits = committersOf(options);
  const names = stores.feeds.map(({ feed, rule }): FeedName => {
    const namespace = rule.kind === 'fixed' ? rule.namespace : null;
    return { feed, worker: MARKERS, namespace, latenessMicros };
  });
  let errands: Promise<void> | undefined;
  return {
    committer: (feed) => known(commits, feed),
    recorder: (feed) => {
      if (!signal.aborted) errands ??= shareErrands(options, signal);
      return createRecorder(options, names, feed);
    },
    ended: async () => errands,
  };
}

function known<Value>(values: ReadonlyMap<string, Value>, feed: string): Value {
  const value = values.get(feed);
  if (value === undefined)
    throw new RangeError(`the job reads the feed ${feed}, which this worker's environment does not name`);
  return value;
}

function committersOf(options: PortableWorkerOptions): ReadonlyMap<string, Commit> {
  const runtimeOf = commitRuntimes(options);
  return new Map(
    options.stores.feeds.map((feed) => {
      // The runner acknowledges, at a checkpoint of its own.
      const runtime = runtimeOf(feed, { ...feed.topic, ack: async () => undefined });
      const commit: Commit = async (deliveries) => {
        const doubted = await commitAndAcknowledge(runtime, deliveries);
        if (doubted.length > 0) throw new LeftUncommitted(`${doubted.length} deliveries are left`);
      };
      return [feed.feed, commitTogether(commit)];
    }),
  );
}

function createRecorder(
  { stores: { database }, scheduler, log, ackDeadlineSeconds }: PortableWorkerOptions,
  names: readonly FeedName[],
  feed: string,
): MarkerRecorder {
  const heldBack: Instant = heldBackUntil(scheduler.now(), ackDeadlineSeconds);
  return {
    record: async (slotEndsMs) => {
      const now = scheduler.now();
      const through = recordableThrough(slotEndsMs, { now, heldBack });
      if (through === undefined) return;
      try {
        await raiseWatermark(database, names, { feed, through, now });
      } catch (error) {
        log.warn({ err: error, feed }, 'the watermark was not stored');
      }
    },
  };
}

/** Those that a worker shares that holds messages, without what it says of them. */
async function shareErrands(options: PortableWorkerOptions, signal: AbortSignal): Promise<void> {
  const { stores, worker, scheduler, errandsForAll } = options;
  const who = { database: stores.database, worker };
  const errands = leasedErrands(errandsForAll, { ...who, clock: scheduler.now });
  await Promise.all(errands.map((errand) => runErrand(errand, options, signal)));
  await giveUpErrands(who).catch(() => undefined);
}
