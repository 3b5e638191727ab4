import { storeWatermarks } from '#infra/usage/watermark.ts';
import type { Errand } from '#pipelines/runner/errand.ts';
import { createUsageRunner, type UsageRunner, type UsageRunnerOptions } from '#pipelines/runner/runner.ts';
import { usageErrands } from '#pipelines/runner/usage-errands.ts';

const WATERMARK_EVERY_MS = 250;

export interface EmbeddedRunnerOptions extends Omit<UsageRunnerOptions, 'errands' | 'idleMs'> {
  readonly worker: string;
  readonly latenessMicros: number;
  /** Upkeep of the stores, once a minute: expiry, retention, compaction. */
  readonly maintain?: () => Promise<void>;
  /** Done beside all that, such as looking for batch work. */
  readonly errands?: readonly Errand[];
}

/**
 * Runs the usage graph on this machine. Its topics know how far they are acknowledged, whoever holds what, so that each process may store
 * their watermarks as it finds them.
 */
export function createEmbeddedRunner(options: EmbeddedRunnerOptions): UsageRunner {
  const { runtimes } = options;
  const [first] = runtimes;
  if (first === undefined) throw new RangeError('a runner has at least one feed');
  const watermarks: Errand = { everyMs: WATERMARK_EVERY_MS, run: () => moveWatermarks(options) };
  const topics = runtimes.map(({ topic }) => topic);
  const errands = [
    watermarks,
    ...usageErrands({ ...options, database: first.commit.database, topics }),
    ...(options.errands ?? []),
  ];
  const runner = createUsageRunner({ ...options, errands });
  return {
    run: (signal) => runner.run(signal).finally(() => moveWatermarks(options).catch(() => undefined)),
  };
}

async function moveWatermarks({ runtimes, worker, latenessMicros }: EmbeddedRunnerOptions): Promise<void> {
  const feeds = runtimes.map(({ topic, namespaces, commit: { feed } }) => {
    const namespace = namespaces.kind === 'fixed' ? namespaces.namespace : null;
    return { feed, worker, namespace, latenessMicros, topic };
  });
  const [first] = runtimes;
  if (first !== undefined) await storeWatermarks(first.commit.database, feeds);
}
