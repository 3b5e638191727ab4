import type { Delivery } from '#infra/usage/delivery.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import { commitPatiently, type PatientCommit } from './commit-patiently.ts';
import { openedWorker } from './portable-workers.ts';

interface Sink {
  readonly commit: PatientCommit;
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
    const commit = worker.committer(this.feed);
    sinks.set(this, { commit: { worker, feed: this.feed, commit, comeAgain: true }, deliveries: [] });
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
    await commitPatiently(sink.commit, deliveries);
  }
}

function sinkOf(doFn: CommitInWorker): Sink {
  const sink = sinks.get(doFn);
  if (sink === undefined) throw new Error('CommitInWorker was not set up');
  return sink;
}
