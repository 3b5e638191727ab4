import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { Marker } from './commit-and-mark.ts';
import { openedWorker } from './portable-workers.ts';
import type { MarkerRecorder } from './read-by-runner.ts';

interface Recording {
  readonly recorder: MarkerRecorder;
  slotEndsMs: Marker[];
}

const recordings = new WeakMap<RecordMarkers, Recording>();

/** Gets the markers of a slot when the watermark has passed it. A copy of it is as old as its job has run without being started again. */
export class RecordMarkers implements AsyncDoFn<Keyed<readonly Marker[]>> {
  readonly workerName: string;
  readonly feed: string;

  constructor(workerName: string, feed: string) {
    this.workerName = workerName;
    this.feed = feed;
  }

  async setup(): Promise<void> {
    const { readByRunner } = await openedWorker(this.workerName);
    recordings.set(this, { recorder: readByRunner.recorder(this.feed), slotEndsMs: [] });
  }

  startBundle(): void {
    recordingOf(this).slotEndsMs = [];
  }

  process({ value }: Keyed<readonly Marker[]>): void {
    const [end] = value;
    if (end !== undefined) recordingOf(this).slotEndsMs.push(end);
  }

  async finishBundle(): Promise<void> {
    const recording = recordingOf(this);
    const { slotEndsMs } = recording;
    recording.slotEndsMs = [];
    await recording.recorder.record(slotEndsMs);
  }
}

function recordingOf(doFn: RecordMarkers): Recording {
  const recording = recordings.get(doFn);
  if (recording === undefined) throw new Error('RecordMarkers was not set up');
  return recording;
}
