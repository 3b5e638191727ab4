import type { Instant } from '#domain/instant.ts';
import { openSpanner, type SpannerDatabase } from '#infra/database/spanner/open.ts';
import { createClosing, type OpenedFeed, type OpenedStores } from '#infra/stores/opened-stores.ts';
import { CLOUD_TABLES } from '#infra/stores/tables.ts';
import { openPubsubTopic, type PubsubTopic } from '#infra/topic/pubsub/open.ts';
import type { TopicLog } from '#infra/topic/pubsub/topic-log.ts';
import { openBigQuery, type BigQueryWarehouse } from '#infra/warehouse/bigquery/open.ts';
import type { FeedSettings } from './feed-settings.ts';
import type { CloudSettings } from './settings.ts';

export interface CloudFeed extends OpenedFeed {
  readonly topic: PubsubTopic;
}

export interface CloudStores extends OpenedStores {
  readonly database: SpannerDatabase;
  readonly warehouse: BigQueryWarehouse;
  readonly feeds: readonly CloudFeed[];
  readonly apiTopic: PubsubTopic;
}

export interface OpenCloudOptions {
  readonly settings: CloudSettings;
  readonly clock: () => Instant;
  /** Who asks, in the statistics of the database. */
  readonly tag: string;
  /** The commits of a pipeline may wait for each other; whoever answers a request waits for none. */
  readonly commitDelayMs?: number;
  readonly topicLog?: TopicLog;
  /** What a handle of a feed may have unacknowledged; the driver's own bounds where it is absent. */
  readonly outstanding?: { readonly messagesMax: number; readonly bytesMax: number };
}

/**
 * Opens the stores of a project, which have been prepared (`prepareCloud`, or Terraform and `npm run migrate`). Throws what the drivers
 * throw; then nothing is left open.
 */
export async function openCloud(options: OpenCloudOptions): Promise<CloudStores> {
  const { settings } = options;
  const { keep, close } = createClosing();
  try {
    const database = keep(await openDatabase(options));
    const warehouse = keep(await openBigQuery({ projectId: settings.projectId, ...settings.bigquery }));
    const feeds: CloudFeed[] = [];
    for (const feed of settings.pubsub.feeds) feeds.push(await openFeed(feed, options, keep));
    const apiFeed = feeds.find(({ feed }) => feed === settings.pubsub.apiFeed.feed);
    if (apiFeed === undefined) throw new RangeError('the feed of the API is none of the feeds');
    // Spanner deletes what has expired by itself, BigQuery and Pub/Sub need no upkeep.
    const maintain = async () => ({ dropped: [] });
    return { database, warehouse, feeds, apiTopic: apiFeed.topic, maintain, close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

const openDatabase = ({ settings, clock, tag, commitDelayMs }: OpenCloudOptions): Promise<SpannerDatabase> =>
  openSpanner({
    projectId: settings.projectId,
    ...settings.spanner,
    tables: CLOUD_TABLES,
    clock,
    tag,
    ...(commitDelayMs === undefined ? {} : { commitDelayMs }),
  });

/** A handle connects when it is first used, and is given messages from its first pull on. */
export async function openFeed(
  { feed, rule, topic, subscription }: FeedSettings,
  { settings: { projectId, pubsub }, clock, topicLog, outstanding }: Omit<OpenCloudOptions, 'tag'>,
  keep: <Store extends { close(): Promise<void> }>(store: Store) => Store,
): Promise<CloudFeed> {
  const opened = await openPubsubTopic({
    projectId,
    topic,
    subscription,
    clock,
    ackDeadlineSeconds: pubsub.ackDeadlineSeconds,
    ...(pubsub.emulatorHost === undefined ? {} : { emulatorHost: pubsub.emulatorHost }),
    ...(topicLog === undefined ? {} : { log: topicLog }),
    ...(outstanding && {
      outstandingMessagesMax: outstanding.messagesMax,
      outstandingBytesMax: outstanding.bytesMax,
    }),
  });
  return { feed, rule, topic: keep(opened) };
}
