import type { Message } from '#infra/topic/topic.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import type { NamespaceRule } from '#infra/usage/feed.ts';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { apply } from '#pipelines/beam/graph.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { CommitUsage } from './commit-usage.ts';
import { ParseMessages } from './parse-messages.ts';
import './stages.ts';

export interface UsageGraphOptions {
  /** Whose the messages that enter the graph are: the rule of their feed. */
  readonly namespaces: NamespaceRule;
  /** Where the sink finds its database, warehouse and topic on the worker. */
  readonly runtimeName: string;
  /** How deliveries are gathered into commits; the bundle itself where there is nothing to shuffle. */
  readonly group?: (deliveries: PCollection<Delivery>) => PCollection<Delivery>;
}

/** The usage graph of every mode: messages in, committed usage out. Only its source and the grouping differ between modes. */
export function buildUsageGraph(
  messages: PCollection<Message>,
  { namespaces, runtimeName, group }: UsageGraphOptions,
): void {
  const deliveries = apply('parse', messages, syncParDo(new ParseMessages(namespaces)));
  apply('commit', group ? group(deliveries) : deliveries, asyncParDo(new CommitUsage(runtimeName)));
}
