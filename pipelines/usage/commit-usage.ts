import { SpanKind } from '@opentelemetry/api';
import type { Catalogue } from '#domain/metering/catalogue.ts';
import { isHeartbeat } from '#infra/topic/heartbeat.ts';
import { linksOf } from '#infra/telemetry/message-context.ts';
import { inSpan, isTracing, spanned } from '#infra/telemetry/spans.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import {
  createBisectingCommitter,
  type BisectedCommit,
  type BisectingCommitter,
} from '#infra/usage/bisection.ts';
import { catalogueOf } from '#infra/usage/catalogue-set.ts';
import { splitByRows } from '#infra/usage/commit-bound.ts';
import type { Committed } from '#infra/usage/commit.ts';
import { loadCatalogues } from '#infra/usage/match-deliveries.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import { countCommit } from './counters.ts';
import { usageRuntimes, type UsageRuntime } from './runtime.ts';

/** The commits stand, but the warehouse did not take their rows: the messages stay unacknowledged and come again. */
export class AppendFailed extends Error {
  constructor(cause: unknown) {
    super('the warehouse did not take the rows of a commit', { cause });
    this.name = 'AppendFailed';
  }
}

/** The state of one copy of the sink, made in setup and never sent anywhere. */
interface Sink {
  readonly runtime: UsageRuntime;
  deliveries: Delivery[];
}

const sinks = new WeakMap<CommitUsage, Sink>();
/** One for all copies of the sink in a process: it remembers refusals of the store over bundles, and a failed bundle disposes of its copy. */
const committers = new WeakMap<UsageRuntime, BisectingCommitter>();

function committerOf(runtime: UsageRuntime): BisectingCommitter {
  const committer = committers.get(runtime) ?? createBisectingCommitter(runtime.commit);
  committers.set(runtime, committer);
  return committer;
}

/**
 * The sink of the usage graph: commits the deliveries of a bundle, appends them to the warehouse, and only then acknowledges their
 * messages. An error leaves every message unacknowledged, and the bundle can be run again at any point: what is there has no effect twice.
 */
export class CommitUsage implements AsyncDoFn<Delivery> {
  readonly runtimeName: string;

  constructor(runtimeName: string) {
    this.runtimeName = runtimeName;
  }

  setup(): void {
    sinks.set(this, { runtime: usageRuntimes.named(this.runtimeName), deliveries: [] });
  }

  startBundle(): void {
    sinkOf(this).deliveries = [];
  }

  process(delivery: Delivery): void {
    sinkOf(this).deliveries.push(delivery);
  }

  async finishBundle(): Promise<void> {
    const { runtime, deliveries } = sinkOf(this);
    // The copy lives on until the next bundle, and this one's deliveries need not.
    sinkOf(this).deliveries = [];
    await commitAndAcknowledge(runtime, deliveries);
  }
}

/**
 * Commits deliveries, appends them to the warehouse, and then acknowledges their messages: what every sink does with a bundle. Resolves with those
 * that are doubted: neither committed nor acknowledged, since nothing shows yet whether they or the store are at fault. Throws `AppendFailed`, and
 * what a failing store throws; then nothing is acknowledged, and the same can be done again.
 */
export async function commitAndAcknowledge(
  runtime: UsageRuntime,
  deliveries: readonly Delivery[],
): Promise<readonly Delivery[]> {
  if (deliveries.length === 0) return [];
  const bundle = { runtime, committer: committerOf(runtime), deliveries };
  return isTracing() ? commitTraced(bundle) : commitBundle(bundle);
}

function sinkOf(doFn: CommitUsage): Sink {
  const sink = sinks.get(doFn);
  if (sink === undefined) throw new Error('CommitUsage was not set up');
  return sink;
}

interface Bundle {
  readonly runtime: UsageRuntime;
  readonly committer: BisectingCommitter;
  readonly deliveries: readonly Delivery[];
}

/** The span of a bundle is linked to those that published its messages: so a trace goes on from publishing to commit. */
function commitTraced(bundle: Bundle): Promise<readonly Delivery[]> {
  const { runtime, deliveries } = bundle;
  const attributes = {
    'messaging.batch.message_count': deliveries.length,
    'millrace.feed': runtime.commit.feed,
  };
  const links = linksOf(deliveries.map(({ message }) => message));
  return inSpan('commit', { kind: SpanKind.CONSUMER, links, attributes }, () => commitBundle(bundle));
}

async function commitBundle({ runtime, committer, deliveries }: Bundle): Promise<readonly Delivery[]> {
  const events = deliveries.filter(({ message }) => !isHeartbeat(message));
  runtime.counters.heartbeat_total += deliveries.length - events.length;
  const { committed, doubted } =
    events.length === 0
      ? NOTHING
      : await spanned('transaction', {}, () => commitAll(runtime, committer, events));
  await spanned('append', {}, () => appendAll(runtime, committed));
  // What is doubted comes again when its lease ends.
  const done =
    doubted.length === 0 ? deliveries : deliveries.filter((delivery) => !doubted.includes(delivery));
  await spanned('acknowledge', {}, () => runtime.topic.ack(done.map(({ message }) => message.ackId)));
  runtime.counters.acknowledged_total += done.length;
  return doubted;
}

const NOTHING: BisectedCommit = { committed: [], doubted: [] };

async function commitAll(
  { counters, commit, rowsPerCommitMax }: UsageRuntime,
  committer: BisectingCommitter,
  events: Delivery[],
): Promise<BisectedCommit> {
  const committed: Committed[] = [];
  const doubted: Delivery[] = [];
  try {
    const catalogues = await loadCatalogues(commit.catalogues, events);
    const current = (namespace: string): Catalogue => catalogueOf(catalogues, namespace).current;
    for (const run of splitByRows(current, events, rowsPerCommitMax)) {
      const bisected = await committer.commit(run);
      for (const each of bisected.committed) countCommit(counters, each);
      counters.refusal_doubted_total += bisected.doubted.length;
      committed.push(...bisected.committed);
      doubted.push(...bisected.doubted);
    }
    return { committed, doubted };
  } catch (error) {
    counters.commit_failures_total++;
    throw error;
  }
}

async function appendAll(
  { commit, warehouse, counters }: UsageRuntime,
  commits: readonly Committed[],
): Promise<void> {
  const rows = commits.flatMap(eventRowsOf);
  try {
    counters.append_parked_total += await appendEventRows({ database: commit.database, warehouse }, rows);
    counters.appended_rows_total += rows.length;
  } catch (error) {
    counters.append_failures_total++;
    throw new AppendFailed(error);
  }
}
