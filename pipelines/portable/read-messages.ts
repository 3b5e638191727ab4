import { MICROS_PER_MILLI } from '#domain/instant.ts';
import type { Holder } from '#infra/fleet/holder.ts';
import type { Message } from '#infra/topic/topic.ts';
import type { PollingSource, PollResume, PollRound } from '#pipelines/beam/splittable-do-fn.ts';
import { backoffMs } from '#pipelines/runner/backoff.ts';
import { UNREAD } from './reader-rounds.ts';
import { openedWorker } from './portable-workers.ts';
import type { FeedSource, PortableWorker } from './portable-worker.ts';

/**
 * How long a round waits for a first message, and how long it goes on after it. Each round costs the runner a bundle and a checkpoint of
 * its own; and what a round has emitted is on its way only when it ends.
 */
export const WAIT_MS = 200;
export const GATHER_MS = 100;
/** A round ends when it has emitted so many. */
export const ROUND_MESSAGES_MAX = 2_000;
/** One pull of a round. */
const PULL_MESSAGES_MAX = 500;
/** Between two looks at a topic, or a bound, that had nothing to give. */
const IDLE_MS = 20;

const sources = new WeakMap<PullMessages, { readonly worker: PortableWorker; readonly source: FeedSource }>();

/**
 * Reads a feed on distributed runners: one element is one reader. What it emits stays unacknowledged: the acknowledgement id travels with
 * the message to the sink, and this process keeps the lease until it hears that the sink has acknowledged it, or gives it up.
 */
export class PullMessages implements PollingSource<string, Message> {
  readonly workerName: string;
  readonly feed: string;

  constructor(workerName: string, feed: string) {
    this.workerName = workerName;
    this.feed = feed;
  }

  restriction(): string {
    return UNREAD;
  }

  async setup(): Promise<void> {
    const worker = await openedWorker(this.workerName);
    sources.set(this, { worker, source: worker.source(this.feed) });
  }

  async poll(round: PollRound<string, Message>): Promise<PollResume> {
    const opened = sources.get(this);
    if (opened === undefined) throw new Error('PullMessages was not set up');
    const { worker, source } = opened;
    const { holdsBack, end } = source.rounds.begin(round.element, round.restriction);
    await readRound(worker, source, round);
    // What is emitted later is not before what the topic knows to be acknowledged. Nothing of ours rests on it: see decision 0040.
    const watermarkMs = holdsBack ? round.watermarkMs : await source.acknowledgedThroughMs();
    return { restriction: end(), watermarkMs: watermarkMs ?? round.watermarkMs, resumeAfterMs: 0 };
  }
}

type Round = PollRound<string, Message>;

/** Emits what comes until the round is full or over. */
async function readRound(worker: PortableWorker, source: FeedSource, round: Round): Promise<void> {
  const { scheduler } = worker;
  const holder = source.holder();
  const rest = holder?.reads(round.element);
  let until = scheduler.now() + WAIT_MS * MICROS_PER_MILLI;
  try {
    for (let emitted = 0; emitted < ROUND_MESSAGES_MAX && !round.ending.aborted;) {
      const messages = await pullSome(worker, holder, round);
      if (emitted === 0 && messages.length > 0) until = scheduler.now() + GATHER_MS * MICROS_PER_MILLI;
      for (const message of messages) await round.emit(message, millisOf(message));
      emitted += messages.length;
      if (scheduler.now() >= until) return;
      if (messages.length === 0) await scheduler.sleep(IDLE_MS, round.ending);
    }
  } finally {
    rest?.();
  }
}

const millisOf = ({ publishTime }: Message): number => Math.floor(publishTime / MICROS_PER_MILLI);

/** A topic that cannot be pulled is tried again: what was pulled before is committed all the same, and no job fails for it. */
async function pullSome(
  { scheduler, log }: PortableWorker,
  holder: Holder | undefined,
  { element, ending }: Round,
): Promise<readonly Message[]> {
  if (holder === undefined) return [];
  try {
    return await holder.pull(element, PULL_MESSAGES_MAX);
  } catch (error) {
    log.error({ err: error, reader: element }, 'the topic cannot be pulled; trying again');
    await scheduler.sleep(backoffMs(1), ending);
    return [];
  }
}
