import type { Scheduler } from '#infra/scheduler.ts';
import type { AckId, Message } from '#infra/topic/topic.ts';
import { createBundleEngine, type BundleEngine } from '#pipelines/beam/bundle-engine.ts';
import { AppendFailed } from '#pipelines/usage/commit-usage.ts';
import { buildUsageGraph } from '#pipelines/usage/graph.ts';
import { usageRuntimes, type UsageRuntime } from '#pipelines/usage/runtime.ts';
import { backoffMs } from './backoff.ts';
import { createBatchSize } from './batch-size.ts';
import { keepLeases } from './lease-keeper.ts';
import type { Log } from './log.ts';
import { createUnappended } from './unappended.ts';

/** Pause when there is nothing to pull: short enough not to be felt, long enough to cost nothing. */
const IDLE_MS = 10;
/** Pause after a small batch, so that a trickle of events shares commits. */
const GATHER_MS = 20;

export interface FeedRunOptions {
  readonly name: string;
  readonly runtime: UsageRuntime;
  readonly ackDeadlineSeconds: number;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly batchMessagesMax?: number;
  /** How long an idle feed rests between two pulls. */
  readonly idleMs?: number;
}

/**
 * Pulls micro-batches of a feed and runs each as one bundle of the usage graph, until the signal is aborted; then the bundle in hand is
 * finished, and what could not be committed is given back to the topic.
 */
export async function runFeed(signal: AbortSignal, options: FeedRunOptions): Promise<void> {
  const { runtime } = options;
  const { namespaces } = runtime;
  const runtimeName = `${options.name}/${runtime.commit.feed}`;
  usageRuntimes.provide(runtimeName, runtime);
  const engine = createBundleEngine<Message>((messages) =>
    buildUsageGraph(messages, { namespaces, runtimeName }),
  );
  try {
    await pullUntil(signal, options, engine);
  } finally {
    await engine.close();
    usageRuntimes.withdraw(runtimeName);
  }
}

async function pullUntil(
  signal: AbortSignal,
  options: FeedRunOptions,
  engine: BundleEngine<Message>,
): Promise<void> {
  const { scheduler, runtime, log, idleMs = IDLE_MS } = options;
  const size = createBatchSize(options.batchMessagesMax);
  const work = createBundleWork(options, engine);
  let failures = 0;
  let holds = 0;
  while (!signal.aborted) {
    try {
      // While too much waits for the warehouse, one message now and then is pulled, to notice when it is back.
      holds = work.isHeldBack() ? holds + 1 : 0;
      if (holds > 0) await scheduler.sleep(backoffMs(holds), signal);
      const messages = await runtime.topic.pull(holds > 0 ? 1 : size.current);
      failures = 0;
      size.pulled(messages.length);
      if (messages.length > 0) await work.run(messages, signal);
      if (messages.length < size.current / 2)
        await scheduler.sleep(messages.length === 0 ? idleMs : GATHER_MS, signal);
    } catch (error) {
      failures++;
      log.error({ err: error, failures }, 'the topic cannot be pulled; trying again');
      await scheduler.sleep(backoffMs(failures), signal);
    }
  }
  await work.giveBack();
}

/** Runs bundles to their end, whatever the stores do meanwhile. */
function createBundleWork(options: FeedRunOptions, engine: BundleEngine<Message>) {
  const { runtime, scheduler, log } = options;
  const unappended = createUnappended();

  const release = async (ids: readonly AckId[]): Promise<void> => {
    if (ids.length > 0) await runtime.topic.release(ids);
  };
  /** Best effort: what is not given back comes again when its lease ends. */
  const giveBack = (ids: readonly AckId[]): Promise<void> => release(ids).catch(() => undefined);

  /** A failing store never loses or refuses an event: its leases are kept and the same bundle is run again. */
  const run = async (messages: readonly Message[], signal: AbortSignal): Promise<void> => {
    const ids = messages.map(({ ackId }) => ackId);
    const leases = keepLeases({
      topic: runtime.topic,
      ids,
      scheduler,
      deadlineSeconds: options.ackDeadlineSeconds,
    });
    try {
      for (let failures = 1; ; failures++) {
        try {
          const rowsBefore = runtime.counters.appended_rows_total;
          await engine.run(messages);
          // A bundle of heartbeats or dead letters owes the warehouse nothing, so it says nothing about it.
          if (runtime.counters.appended_rows_total > rowsBefore) await release(unappended.clear());
          return;
        } catch (error) {
          if (error instanceof AppendFailed) {
            log.error(
              { err: error, messages: ids.length },
              'committed, but not appended: the messages come again',
            );
            return unappended.add(ids, scheduler.now());
          }
          log.error(
            { err: error, failures, messages: ids.length },
            'the batch was not committed; trying again',
          );
          await scheduler.sleep(backoffMs(failures), signal);
          if (signal.aborted) return await giveBack(ids);
        }
      }
    } finally {
      await leases.end();
    }
  };

  return {
    run,
    isHeldBack: () => unappended.isBeyondBound(scheduler.now()),
    giveBack: () => giveBack(unappended.clear()),
  };
}
