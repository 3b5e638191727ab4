import { runErrand, type Errand } from './errand.ts';
import { runFeed, type FeedRunOptions } from './run-feed.ts';
import type { UsageRuntime } from '#pipelines/usage/runtime.ts';

export interface UsageRunnerOptions extends Omit<FeedRunOptions, 'runtime'> {
  /** One a feed. All work on the same database. */
  readonly runtimes: readonly UsageRuntime[];
  /** Done beside the bundles, each in its own rhythm. */
  readonly errands: readonly Errand[];
}

export interface UsageRunner {
  /** Runs until the signal is aborted; then the bundle in hand is finished and everything else is left to be delivered again. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Runs the usage graph: of each feed micro-batches through one reused bundle engine. The feeds are pulled side by side, so that a backlog
 * in one keeps the other from nothing but its share of the machine.
 */
export function createUsageRunner(options: UsageRunnerOptions): UsageRunner {
  const { runtimes, errands } = options;
  if (runtimes.length === 0) throw new RangeError('a runner has at least one feed');
  return {
    run: async (signal) => {
      const failed = new AbortController();
      const over = AbortSignal.any([signal, failed.signal]);
      const running = errands.map((errand) => runErrand(errand, options, over));
      const feeds = runtimes.map((runtime) => runFeed(over, { ...options, runtime }));
      try {
        await Promise.all(feeds);
      } finally {
        // A feed that cannot go on ends the others in good order.
        failed.abort();
        await Promise.allSettled([...feeds, ...running]);
      }
    },
  };
}
