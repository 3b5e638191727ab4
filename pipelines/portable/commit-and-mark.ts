import type { Delivery } from '#infra/usage/delivery.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import { instantOf, type WindowedValue } from '#pipelines/beam/sdk.ts';
import { inGlobalWindow } from '#pipelines/beam/windowed-value.ts';
import { wireCoder } from '#pipelines/beam/wire-coder.ts';
import { readInteger, writeInteger } from '#pipelines/beam/wire-values.ts';
import { commitPatiently, type PatientCommit } from './commit-patiently.ts';
import { BEGIN_SLOT_END_MS, slotsOf } from './markers.ts';
import { openedWorker } from './portable-workers.ts';

/** The end of a slot, in ms since the epoch. */
export type Marker = number;

export const markerCoder = wireCoder<Marker>('marker', { write: writeInteger, read: readInteger });

interface Sink {
  readonly commit: PatientCommit;
  deliveries: Delivery[];
  /** Whether nothing was marked yet by this copy, which is as old as its job has run. */
  isNew: boolean;
}

const sinks = new WeakMap<CommitAndMark, Sink>();

/**
 * The sink where the runner itself reads and acknowledges: it commits all of its bundle or fails it, and then sends a marker for each slot of publish
 * time that it touched, in the time of the earliest of them; first of all one that tells of the begin. A runner holds its watermark back for what it has not committed, so that it passes a
 * slot after the events of it.
 */
export class CommitAndMark implements AsyncDoFn<Delivery, Keyed<Marker>> {
  readonly workerName: string;
  readonly feed: string;

  constructor(workerName: string, feed: string) {
    this.workerName = workerName;
    this.feed = feed;
  }

  async setup(): Promise<void> {
    const worker = await openedWorker(this.workerName);
    const commit = worker.readByRunner.committer(this.feed);
    sinks.set(this, {
      commit: { worker, feed: this.feed, commit, comeAgain: false },
      deliveries: [],
      isNew: true,
    });
  }

  startBundle(): void {
    sinkOf(this).deliveries = [];
  }

  process(delivery: Delivery): void {
    sinkOf(this).deliveries.push(delivery);
  }

  async finishBundle(): Promise<WindowedValue<Keyed<Marker>>[]> {
    const sink = sinkOf(this);
    const { deliveries } = sink;
    sink.deliveries = [];
    await commitPatiently(sink.commit, deliveries);
    const slots = slotsOf(deliveries.map(({ message }) => message.publishTime));
    const begin = sink.isNew ? [[BEGIN_SLOT_END_MS, 0] as const] : [];
    sink.isNew = false;
    return [...begin, ...slots].map(([end, earliest]) =>
      inGlobalWindow({ key: this.feed, value: end }, instantOf(earliest)),
    );
  }
}

function sinkOf(doFn: CommitAndMark): Sink {
  const sink = sinks.get(doFn);
  if (sink === undefined) throw new Error('CommitAndMark was not set up');
  return sink;
}
