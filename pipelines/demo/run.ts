import { setTimeout as sleep } from 'node:timers/promises';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { LOCAL_FEED, type LocalStores } from '#infra/local/open-local.ts';
import type { DataSet, Planned } from './data-set.ts';
import { startPipeline, type PipelineProcess } from './pipeline-process.ts';
import { showProgress, type Progress } from './progress.ts';

const MESSAGES_PER_PUBLISH = 1_000;
/** What is published before the pipeline is killed, as a share of all. */
const PUBLISHED_BEFORE_KILL = 0.6;
/** How much of all must be committed before the kill, so that it comes in the middle of work. */
const COMMITTED_BEFORE_KILL = 0.2;
const POLL_MS = 20;
/** A day's events count as in time in the demo, although all of them are published now. */
const LATENESS_SECONDS = 26 * 3_600;
/** Short, so that what the killed process held comes back soon. */
const ACK_DEADLINE_SECONDS = 10;

export interface Run {
  readonly seconds: number;
  readonly killedAt: number;
  /** CPU of both pipeline processes together. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly pipeline: PipelineProcess;
}

/** Publishes the data set and lets the pipeline work it off, killing it in the middle. The pipeline runs on afterwards. */
export async function runDataSet(
  stores: LocalStores,
  directory: string,
  { meters, planned }: DataSet,
): Promise<Run> {
  for (const [key, definition] of meters)
    await putMeter(stores.database, { namespace: LOCAL_FEED.namespace, key, definition });
  const start = (): Promise<PipelineProcess> =>
    startPipeline({ directory, latenessSeconds: LATENESS_SECONDS, ackDeadlineSeconds: ACK_DEADLINE_SECONDS });
  const first = await start();
  const progress = showProgress('publish and count', planned.length);
  const startedAt = performance.now();
  const split = Math.ceil(planned.length * PUBLISHED_BEFORE_KILL);
  await publishAll(stores, planned.slice(0, split), progress, () => acknowledged(first));
  await until(
    () => acknowledged(first) >= planned.length * COMMITTED_BEFORE_KILL,
    () => progress.update(acknowledged(first)),
  );
  const killedAt = acknowledged(first);
  const firstCpu = cpuSecondsOf(first);
  await first.kill();
  progress.say(
    `killed the pipeline (SIGKILL, pid ${first.pid}) after ${killedAt.toLocaleString('en-US')} messages; starting another`,
  );
  const second = await start();
  const done = (): number => killedAt + acknowledged(second);
  await publishAll(stores, planned.slice(split), progress, done);
  await until(
    async () => (await stores.topic.backlog()).messages === 0,
    () => progress.update(Math.min(done(), planned.length)),
  );
  progress.end();
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpuSeconds = firstCpu + cpuSecondsOf(second);
  return {
    seconds,
    killedAt,
    cpuSeconds,
    residentBytes: second.latest?.residentBytes ?? 0,
    pipeline: second,
  };
}

const acknowledged = (pipeline: PipelineProcess): number => pipeline.latest?.counters.acknowledged_total ?? 0;
const cpuSecondsOf = ({ latest }: PipelineProcess): number =>
  ((latest?.cpuMicros.user ?? 0) + (latest?.cpuMicros.system ?? 0)) / 1e6;

export async function publishAll(
  { topic }: LocalStores,
  planned: readonly Planned[],
  progress: Progress,
  done: () => number,
): Promise<void> {
  for (let at = 0; at < planned.length; at += MESSAGES_PER_PUBLISH) {
    await topic.publish(
      planned.slice(at, at + MESSAGES_PER_PUBLISH).map(({ text }) => ({ data: Buffer.from(text) })),
    );
    progress.update(done());
  }
}

async function until(reached: () => boolean | Promise<boolean>, meanwhile: () => void): Promise<void> {
  while (!(await reached())) {
    meanwhile();
    await sleep(POLL_MS);
  }
}
