import { lapseNamespaces } from '#infra/entitlements/lapse-namespaces.ts';
import { createRoller, type Roller } from '#infra/usage/roll-namespaces.ts';
import { storeWatermarks } from '#infra/usage/watermark.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { publishHeartbeat } from '#infra/topic/heartbeat.ts';
import type { Message } from '#infra/topic/topic.ts';
import { createBundleEngine, type BundleEngine } from '#pipelines/beam/bundle-engine.ts';
import { AppendFailed } from '#pipelines/usage/commit-usage.ts';
import { buildUsageGraph } from '#pipelines/usage/graph.ts';
import { provideRuntime, withdrawRuntime, type UsageRuntime } from '#pipelines/usage/runtime.ts';
import { backoffMs } from './backoff.ts';
import { createBatchSize } from './batch-size.ts';
import { keepLeases } from './lease-keeper.ts';
import { createUnappended } from './unappended.ts';

/** Pause when there is nothing to pull: short enough not to be felt, long enough to cost nothing. */
const IDLE_MS = 10;
/** Pause after a small batch, so that a trickle of events shares commits. */
const GATHER_MS = 20;
const WATERMARK_EVERY_MS = 250;
const ROLL_EVERY_MS = 1_000;
const LAPSE_EVERY_MS = 5_000;
const HEARTBEAT_EVERY_MS = 30_000;
const MAINTENANCE_EVERY_MS = 60_000;

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EmbeddedRunnerOptions {
  readonly name: string;
  /** One a feed. All work on the same database. */
  readonly runtimes: readonly UsageRuntime[];
  readonly worker: string;
  readonly latenessMicros: number;
  readonly ackDeadlineSeconds: number;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly batchMessagesMax?: number;
  /** Upkeep of the stores, once a minute: expiry, retention, compaction. */
  readonly maintain?: () => Promise<void>;
}

export interface EmbeddedRunner {
  /** Runs until the signal is aborted; then the bundle in hand is finished and everything else is left to be delivered again. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Runs the usage graph on this machine: of each feed micro-batches through one reused bundle engine. The feeds are pulled side by side, so
 * that a backlog in one keeps the other from nothing but its share of the machine.
 */
export function createEmbeddedRunner(options: EmbeddedRunnerOptions): EmbeddedRunner {
  const { runtimes } = options;
  const [first] = runtimes;
  if (first === undefined) throw new RangeError('a runner has at least one feed');
  const roller = createRoller(first.commit.database);
  return {
    run: async (signal) => {
      const failed = new AbortController();
      const over = AbortSignal.any([signal, failed.signal]);
      const errands = [
        every(options, over, WATERMARK_EVERY_MS, () => moveWatermarks(options)),
        every(options, over, ROLL_EVERY_MS, () => roll(options, roller)),
        every(options, over, LAPSE_EVERY_MS, () => lapse(options)),
        ...runtimes.map(({ topic }) =>
          every(options, over, HEARTBEAT_EVERY_MS, () => publishHeartbeat(topic)),
        ),
        every(options, over, MAINTENANCE_EVERY_MS, async () => options.maintain?.()),
      ];
      const feeds = runtimes.map((runtime) => runFeed(over, options, runtime));
      try {
        await Promise.all(feeds);
      } finally {
        // A feed that cannot go on ends the others in good order.
        failed.abort();
        await Promise.allSettled([...feeds, ...errands]);
        await moveWatermarks(options).catch(() => undefined);
      }
    },
  };
}

/** Until the signal is aborted, and the bundle in hand is finished. */
async function runFeed(
  signal: AbortSignal,
  options: EmbeddedRunnerOptions,
  runtime: UsageRuntime,
): Promise<void> {
  const { namespaces } = runtime;
  const runtimeName = `${options.name}/${runtime.commit.feed}`;
  provideRuntime(runtimeName, runtime);
  const engine = createBundleEngine<Message>((messages) =>
    buildUsageGraph(messages, { namespaces, runtimeName }),
  );
  try {
    await pullUntil(signal, { ...options, runtime }, engine);
  } finally {
    await engine.close();
    withdrawRuntime(runtimeName);
  }
}

interface FeedOptions extends EmbeddedRunnerOptions {
  readonly runtime: UsageRuntime;
}

async function pullUntil(
  signal: AbortSignal,
  options: FeedOptions,
  engine: BundleEngine<Message>,
): Promise<void> {
  const { scheduler, runtime, log } = options;
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
        await scheduler.sleep(messages.length === 0 ? IDLE_MS : GATHER_MS, signal);
    } catch (error) {
      failures++;
      log.error({ err: error, failures }, 'the topic cannot be pulled; trying again');
      await scheduler.sleep(backoffMs(failures), signal);
    }
  }
}

/** Runs bundles to their end, whatever the stores do meanwhile. */
function createBundleWork(options: FeedOptions, engine: BundleEngine<Message>) {
  const { runtime, scheduler, log } = options;
  const unappended = createUnappended();

  const appended = async (): Promise<void> => {
    const ids = unappended.clear();
    if (ids.length > 0) await runtime.topic.release(ids);
  };

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
          if (runtime.counters.appended_rows_total > rowsBefore) await appended();
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
          if (signal.aborted) return;
        }
      }
    } finally {
      await leases.end();
    }
  };

  return { run, isHeldBack: () => unappended.isBeyondBound(scheduler.now()) };
}

async function moveWatermarks({ runtimes, worker, latenessMicros }: EmbeddedRunnerOptions): Promise<void> {
  const feeds = runtimes.map(({ topic, namespaces, commit: { feed } }) => {
    const namespace = namespaces.kind === 'fixed' ? namespaces.namespace : null;
    return { feed, worker, namespace, latenessMicros, topic };
  });
  const [first] = runtimes;
  if (first !== undefined) await storeWatermarks(first.commit.database, feeds);
}

async function roll({ name, log }: EmbeddedRunnerOptions, roller: Roller): Promise<void> {
  const days = await roller.roll();
  if (days > 0) log.info({ days, runner: name }, 'rolled into day rows');
}

/** Gives back what was reserved for events that never came. */
async function lapse({ name, runtimes, scheduler, log }: EmbeddedRunnerOptions): Promise<void> {
  const [first] = runtimes;
  if (first === undefined) return;
  const holds = await lapseNamespaces(first.commit.database, scheduler.now());
  if (holds > 0) log.info({ holds, runner: name }, 'reservations lapsed');
}

/** Does an errand again and again until the signal is aborted. One that fails is logged and done again at its next turn. */
async function every(
  { scheduler, log }: EmbeddedRunnerOptions,
  signal: AbortSignal,
  milliseconds: number,
  errand: () => Promise<unknown>,
): Promise<void> {
  while (!signal.aborted) {
    await scheduler.sleep(milliseconds, signal);
    if (signal.aborted) return;
    await errand().catch((error: unknown) =>
      log.warn({ err: error }, 'an errand of the runner failed; it is done again later'),
    );
  }
}
