import type { Instant } from '#domain/instant.ts';
import { DEAD_LETTER_REASONS, type DeadLetterReason } from '#domain/metering/dead-letter.ts';
import type { Database, Reads } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import type { KeyRange, Table } from '#infra/database/table.ts';
import { appendParked, deadLetter } from './tables.ts';
import { feedsOf, freshnessOf, readFeeds, type FeedWatermark, type Freshness } from './watermark.ts';

/** Where a feed's backlog is asked for. */
export interface BacklogSource {
  backlog(): Promise<{ readonly messages: number; readonly oldest?: Instant }>;
}

/** Rows counted up to a bound: a status must not cost more the worse things are. */
export interface BoundedCount {
  readonly count: number;
  /** There are more than were counted. */
  readonly more: boolean;
}

export interface FeedStatus {
  readonly feed: string;
  /** The feed brings events of other namespaces too, and its backlog is that of all of them. */
  readonly isShared: boolean;
  readonly committedThrough: Instant;
  /** Absent when the topic is not at hand, or out of order. */
  readonly backlog?: { readonly messages: number; readonly oldestUnacknowledged: Instant | null };
}

export interface NamespaceStatus {
  /** Absent while no feed has reported. */
  readonly freshness: Freshness | undefined;
  readonly feeds: readonly FeedStatus[];
  /** Reasons with open dead letters only. */
  readonly deadLetters: readonly (BoundedCount & { readonly reason: DeadLetterReason })[];
  /** Rows that the warehouse refused after their commit: they count, and each needs a person. */
  readonly parkedAppends: BoundedCount;
  /** How long ago the least recent of the feeds was last reported on; absent while none has been. Some seconds mean that no pipeline runs. */
  readonly heartbeatAgeMicros: number | undefined;
}

export const COUNTED_MAX = 1_000;

/** How a namespace stands, cheaply enough to be asked every second. Topics are by feed; one that fails only leaves its backlog out. */
export async function readStatus(
  {
    database,
    topics,
    now,
  }: {
    readonly database: Database;
    readonly topics: Readonly<Record<string, BacklogSource>>;
    readonly now: Instant;
  },
  namespace: string,
): Promise<NamespaceStatus> {
  const { feeds, ...stored } = await inSnapshot(database, (snapshot) => readStored(snapshot, namespace));
  const own = feedsOf(feeds, namespace);
  const heartbeats = own.map(({ heartbeatAt }) => heartbeatAt);
  return {
    freshness: freshnessOf(feeds, namespace),
    feeds: await Promise.all(own.map((feed) => statusOf(feed, topics[feed.feed]))),
    ...stored,
    heartbeatAgeMicros: heartbeats.length === 0 ? undefined : Math.max(0, now - Math.min(...heartbeats)),
  };
}

async function readStored(from: Reads, namespace: string) {
  const feeds = await readFeeds(from);
  const deadLetters: NamespaceStatus['deadLetters'][number][] = [];
  for (const reason of DEAD_LETTER_REASONS) {
    const range = { prefix: [namespace, 'open', reason] };
    const counted = await countRows(from, deadLetter, { index: 'byReason', range });
    if (counted.count > 0) deadLetters.push({ reason, ...counted });
  }
  const ofNamespace = { index: 'bySubject', range: { prefix: [namespace] } };
  return { feeds, deadLetters, parkedAppends: await countRows(from, appendParked, ofNamespace) };
}

async function countRows<Row extends object>(
  from: Reads,
  table: Table<Row>,
  { index, range }: { index: string; range: KeyRange },
): Promise<BoundedCount> {
  let count = 0;
  for await (const _ of from.scan(table, range, { index, limit: COUNTED_MAX + 1 })) count++;
  return { count: Math.min(count, COUNTED_MAX), more: count > COUNTED_MAX };
}

async function statusOf(
  { feed, namespace, committedThrough }: FeedWatermark,
  topic: BacklogSource | undefined,
): Promise<FeedStatus> {
  const known = { feed, isShared: namespace === null, committedThrough };
  const backlog = await topic?.backlog().catch(() => undefined);
  if (backlog === undefined) return known;
  return { ...known, backlog: { messages: backlog.messages, oldestUnacknowledged: backlog.oldest ?? null } };
}
