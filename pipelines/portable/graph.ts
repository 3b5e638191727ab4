import type { NamespaceRule } from '#infra/usage/feed.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import type { Message } from '#infra/topic/topic.ts';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { fanOut, impulse } from '#pipelines/beam/fan-out.ts';
import { apply, type Root } from '#pipelines/beam/graph.ts';
import { groupByKey, type Keyed } from '#pipelines/beam/grouping.ts';
import { nativeRead, type NativeRead } from '#pipelines/beam/native-read.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { splittableParDo } from '#pipelines/beam/splittable-do-fn.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { groupingWindow, passedWindows } from '#pipelines/beam/triggers.ts';
import { keyedCoder, setCoder, withCoder } from '#pipelines/beam/wire-coder.ts';
import { buildUsageGraph, type UsageGraphOptions } from '#pipelines/usage/graph.ts';
import { deliveriesCoder, messageCoder } from '#pipelines/usage/wire-coders.ts';
import { CommitAndMark, markerCoder, type Marker } from './commit-and-mark.ts';
import { CommitInWorker } from './commit-in-worker.ts';
import { DEFAULT_COMMIT_SHARDS, FromCommitShard, ToCommitShard } from './commit-shards.ts';
import { elementTime, FromPubsub } from './from-pubsub.ts';
import { SLOT_MS } from './markers.ts';
import { PullMessages } from './read-messages.ts';
import { RecordMarkers } from './record-markers.ts';
import { ENVIRONMENT_WORKER } from './worker-runtime.ts';
import './stages.ts';

/** Readers of a feed: each is an element of its own, which runners spread over their workers. */
export const DEFAULT_READERS = 4;
export const READERS_MAX = 1_000;
/** What is gathered of a shard is committed when it is so many batches, or so long after the first of them. */
export const GROUP_BATCHES = 100;
export const GROUP_DELAY_MS = 500;
const MILLIS_PER_SECOND = 1_000;

export interface PortableUsageOptions {
  readonly feeds: readonly { readonly feed: string; readonly rule: NamespaceRule }[];
  readonly readersPerFeed?: number;
  readonly shards?: number;
  readonly batches?: number;
  readonly delayMs?: number;
  /** Under which name a worker process finds what its DoFns work with; what its environment names unless told otherwise. */
  readonly workerName?: string;
  /** For each feed the read of it that the runner itself does and acknowledges, instead of readers of ours. */
  readonly reads?: ReadonlyMap<string, NativeRead>;
}

/** The usage graph as a streaming job of a distributed runner: for each feed its readers, and the graph of every mode with a grouping. */
export function buildPortableUsageGraph(root: Root, options: PortableUsageOptions): void {
  const { feeds, readersPerFeed = DEFAULT_READERS, workerName = ENVIRONMENT_WORKER } = options;
  if (feeds.length === 0) throw new RangeError('a job reads at least one feed');
  if (!Number.isSafeInteger(readersPerFeed) || readersPerFeed < 1 || readersPerFeed > READERS_MAX)
    throw new RangeError(`readers of a feed are 1 to ${READERS_MAX}, not ${readersPerFeed}`);
  const start = options.reads === undefined ? impulse(root) : undefined;
  for (const { feed, rule } of feeds) {
    const prefix = `${feed}/`;
    const usage = {
      namespaces: rule,
      runtimeName: workerName,
      prefix,
      group: (deliveries: PCollection<Delivery>) => groupByShard(deliveries, prefix, options),
    };
    if (start !== undefined) {
      const names = Array.from({ length: readersPerFeed }, (_, reader) => `${feed}-${reader}`);
      const readers = apply(`${prefix}readers`, start, fanOut(names));
      const source = splittableParDo(new PullMessages(workerName, feed));
      const messages = apply(`${prefix}pull`, readers, withCoder(source, messageCoder));
      buildUsageGraph(messages, { ...usage, sink: new CommitInWorker(workerName, feed) });
    } else buildReadByRunner(readOf(root, options, feed), feed, usage);
  }
}

function readOf(root: Root, { reads }: PortableUsageOptions, feed: string): PCollection<Message> {
  const read = reads?.get(feed);
  if (read === undefined) throw new RangeError(`the runner has no read of the feed ${feed}`);
  const messages = syncParDo(new FromPubsub(), { context: elementTime() });
  return apply(`${feed}/message`, nativeRead(root, `${feed}/read`, read), withCoder(messages, messageCoder));
}

/** Behind the commit its markers, which a runner gathers until the watermark of its read has passed their slot. */
function buildReadByRunner(
  messages: PCollection<Message>,
  feed: string,
  usage: UsageGraphOptions & { readonly prefix: string },
): void {
  const { prefix, runtimeName, ...rest } = usage;
  const sink = new CommitAndMark(runtimeName, feed);
  const markers = buildUsageGraph<Keyed<Marker>>(messages, { ...rest, prefix, runtimeName, sink });
  setCoder(markers, keyedCoder(markerCoder));
  const slots = apply(`${prefix}slots`, markers, passedWindows(SLOT_MS / MILLIS_PER_SECOND));
  const passed = apply(`${prefix}passed`, slots, groupByKey<Marker>());
  apply(`${prefix}record`, passed, asyncParDo(new RecordMarkers(runtimeName, feed)));
}

/** A runner gathers the deliveries of a commit shard, whatever event time they have: none is ever late, and nothing of it is kept. */
function groupByShard(
  deliveries: PCollection<Delivery>,
  prefix: string,
  { shards = DEFAULT_COMMIT_SHARDS, batches = GROUP_BATCHES, delayMs = GROUP_DELAY_MS }: PortableUsageOptions,
): PCollection<Delivery> {
  const toShard = withCoder(syncParDo(new ToCommitShard(shards)), keyedCoder(deliveriesCoder));
  const window = groupingWindow<Keyed<readonly Delivery[]>>({
    elements: batches,
    delayMs,
    outputTime: 'earliest',
  });
  const keyed = apply(`${prefix}shard`, deliveries, toShard);
  const grouped = apply(
    `${prefix}group`,
    apply(`${prefix}window`, keyed, window),
    groupByKey<readonly Delivery[]>(),
  );
  return apply(`${prefix}ungroup`, grouped, syncParDo(new FromCommitShard()));
}
