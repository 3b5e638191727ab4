import { MICROS_PER_SECOND } from '#domain/instant.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import { backoffMs } from '#pipelines/runner/backoff.ts';
import { AppendFailed } from '#pipelines/usage/commit-usage.ts';
import type { Commit, PortableWorker } from './portable-worker.ts';
import { openedWorker } from './portable-workers.ts';

interface Sink {
  readonly worker: PortableWorker;
  readonly feed: string;
  readonly commit: Commit;
  deliveries: Delivery[];
}

const sinks = new WeakMap<CommitInWorker, Sink>();

/**
 * The sink of the usage graph on distributed runners. It does what `CommitUsage` does, with what its worker has opened, and it waits by itself
 * for a store that fails: no runner gives messages back. What is committed and not appended stays unacknowledged and comes again.
 */
export class CommitInWorker implements AsyncDoFn<Delivery> {
  readonly workerName: string;
  readonly feed: string;

  constructor(workerName: string, feed: string) {
    this.workerName = workerName;
    this.feed = feed;
  }

  async setup(): Promise<void> {
    const worker = await openedWorker(this.workerName);
    sinks.set(this, { worker, feed: this.feed, commit: worker.committer(this.feed), deliveries: [] });
  }

  startBundle(): void {
    sinkOf(this).deliveries = [];
  }

  process(delivery: Delivery): void {
    sinkOf(this).deliveries.push(delivery);
  }

  async finishBundle(): Promise<void> {
    const sink = sinkOf(this);
    const { deliveries } = sink;
    sink.deliveries = [];
    await commitPatiently(sink, deliveries);
  }
}

function sinkOf(doFn: CommitInWorker): Sink {
  const sink = sinks.get(doFn);
  if (sink === undefined) throw new Error('CommitInWorker was not set up');
  return sink;
}

async function commitPatiently(
  { worker: { scheduler, log, commitPatienceSeconds }, feed, commit }: Sink,
  deliveries: readonly Delivery[],
): Promise<void> {
  const fields = { feed, messages: deliveries.length };
  const until = scheduler.now() + commitPatienceSeconds * MICROS_PER_SECOND;
  for (let failures = 1; ; failures++) {
    try {
      return await commit(deliveries);
    } catch (error) {
      if (error instanceof AppendFailed) {
        log.error({ err: error, ...fields }, 'committed, but not appended: the messages come again');
        return;
      }
      if (scheduler.now() >= until) throw error;
      log.error({ err: error, failures, ...fields }, 'the bundle was not committed; trying again');
      await scheduler.sleep(backoffMs(failures));
    }
  }
}
