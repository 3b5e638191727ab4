import { Registry, Gauge, Counter } from 'prom-client';
import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';
import { wantedWorkers, type ScalerSignal, type Scaling, type ScalingBounds } from '#infra/fleet/scaling.ts';
import { livingWorkers } from '#infra/fleet/slots.ts';
import type { MeasuredMetric } from '#infra/telemetry/measured-metrics.ts';
import { registerDelays } from '#infra/telemetry/registry-histogram.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import type { UsageCounters } from '#pipelines/usage/counters.ts';

/** What a worker measures when it is asked. */
export interface WorkerMetrics {
  read(
    stores: OpenedStores | undefined,
    now: Instant,
  ): Promise<{ readonly contentType: string; readonly text: string }>;
  /** The same for an exporter. */
  measured(stores: OpenedStores | undefined, now: Instant): Promise<readonly MeasuredMetric[]>;
}

interface FeedBacklog {
  readonly feed: string;
  readonly messages: number;
  readonly oldestAgeSeconds: number;
}

/** The counters of this worker, the backlog of its feeds, and how many workers there should be. */
export function createWorkerMetrics(counters: UsageCounters, bounds: ScalingBounds): WorkerMetrics {
  let scaling: Scaling | undefined;
  const measure = async (stores: OpenedStores, now: Instant, registry: Registry): Promise<void> => {
    const [backlogs, workers] = await Promise.all([
      readBacklogs(stores, now),
      livingWorkers(stores.database, now).then(
        (living) => living.length,
        () => undefined,
      ),
    ]);
    for (const measured of BY_FEED) byFeed(registry, measured, backlogs);
    // Half of what it would be told is no signal.
    if (workers === undefined || backlogs.length < stores.feeds.length) return;
    scaling = wantedWorkers(
      signalOf(backlogs, workers, now),
      scaling ?? { workers, tooManySince: undefined },
      bounds,
    );
    single(registry, 'millrace_fleet_workers', 'Workers that live.', workers);
    single(registry, 'millrace_fleet_wanted_workers', 'Workers that there should be.', scaling.workers);
  };
  const measureAll = async (stores: OpenedStores | undefined, now: Instant): Promise<Registry> => {
    const registry = new Registry();
    countersInto(registry, counters);
    if (stores !== undefined) await measure(stores, now, registry);
    return registry;
  };
  return {
    read: async (stores, now) => {
      const registry = await measureAll(stores, now);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    measured: async (stores, now) =>
      (await (await measureAll(stores, now)).getMetricsAsJSON()) as unknown as MeasuredMetric[],
  };
}

/** A feed that does not answer is left out: its absence is the alarm. */
async function readBacklogs({ feeds }: OpenedStores, now: Instant): Promise<FeedBacklog[]> {
  const found = await Promise.all(
    feeds.map(async ({ feed, topic }) => {
      const backlog = await topic.backlog().catch(() => undefined);
      if (backlog === undefined) return [];
      const { messages, oldest = now } = backlog;
      return [{ feed, messages, oldestAgeSeconds: Math.max(0, now - oldest) / MICROS_PER_SECOND }];
    }),
  );
  return found.flat();
}

const signalOf = (backlogs: readonly FeedBacklog[], workers: number, at: Instant): ScalerSignal => ({
  at,
  workers,
  backlogMessages: backlogs.reduce((sum, { messages }) => sum + messages, 0),
  oldestAgeSeconds: Math.max(0, ...backlogs.map(({ oldestAgeSeconds }) => oldestAgeSeconds)),
});

function countersInto(registry: Registry, counters: UsageCounters): void {
  const { commit_delay_seconds: delays, ...counts } = counters;
  registerDelays(registry, COMMIT_DELAY, delays);
  for (const [key, counted] of Object.entries(counts)) {
    const name = `millrace_usage_${key}`;
    const help = 'What the worker did since it started.';
    if (typeof counted === 'number') new Counter({ name, help, registers: [registry] }).inc(counted);
    else {
      const counter = new Counter({ name, help, labelNames: ['reason'], registers: [registry] });
      for (const [reason, value] of Object.entries(counted as Record<string, number>))
        counter.inc({ reason }, value);
    }
  }
}

const COMMIT_DELAY = {
  name: 'millrace_usage_commit_delay_seconds',
  help: 'Of each accepted event, from its publishing to its commit.',
};

const BY_FEED = [
  {
    name: 'millrace_feed_backlog_messages',
    help: 'Messages published and not yet committed.',
    of: ({ messages }: FeedBacklog): number => messages,
  },
  {
    name: 'millrace_feed_oldest_unacknowledged_seconds',
    help: 'Age of the oldest message not yet committed; 0 when there is none.',
    of: ({ oldestAgeSeconds }: FeedBacklog): number => oldestAgeSeconds,
  },
] as const;

function byFeed(
  registry: Registry,
  { name, help, of }: (typeof BY_FEED)[number],
  backlogs: readonly FeedBacklog[],
): void {
  const gauge = new Gauge({ name, help, labelNames: ['feed'], registers: [registry] });
  for (const backlog of backlogs) gauge.set({ feed: backlog.feed }, of(backlog));
}

const single = (registry: Registry, name: string, help: string, value: number): void =>
  new Gauge({ name, help, registers: [registry] }).set(value);
