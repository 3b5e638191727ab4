import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import type { Topic } from '#infra/topic/topic.ts';
import type { NamespaceRule } from '#infra/usage/feed.ts';
import type { BacklogSource } from '#infra/usage/read-status.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';

/** A topic that also tells how much waits in it. */
export type FeedTopic = Topic & BacklogSource;

/** A topic read through one subscription, and how the namespace of a message is told there. */
export interface OpenedFeed {
  readonly feed: string;
  readonly rule: NamespaceRule;
  readonly topic: FeedTopic;
}

/** Everything a program works with, on whichever backing. */
export interface OpenedStores {
  readonly database: Database;
  readonly warehouse: Warehouse;
  readonly feeds: readonly OpenedFeed[];
  /** The topic that only the API publishes to; its messages name their namespace. It is one of the feeds' too. */
  readonly apiTopic: FeedTopic;
  /** One round of upkeep, where the stores need one: expired rows, retention, compaction. */
  maintain(now: Instant): Promise<Upkeep>;
  close(): Promise<void>;
}

export interface Upkeep {
  /** Messages that were never acknowledged within the topic's retention and are gone: the operator must hear of each. */
  readonly dropped: readonly object[];
}

/** The topic of each feed, by its name. */
export const topicsByFeed = ({ feeds }: Pick<OpenedStores, 'feeds'>): Readonly<Record<string, FeedTopic>> =>
  Object.fromEntries(feeds.map(({ feed, topic }) => [feed, topic]));

/** Closes stores in the opposite order of their opening, all of them even if one fails; then the first failure is thrown. */
export function createClosing() {
  const stores: { close(): Promise<void> }[] = [];
  const keep = <Store extends { close(): Promise<void> }>(store: Store): Store => {
    stores.unshift(store);
    return store;
  };
  const close = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const store of stores.splice(0)) await store.close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  };
  return { keep, close };
}
