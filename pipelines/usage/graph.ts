import type { Message } from '#infra/topic/topic.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { apply } from '#pipelines/beam/graph.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { CommitUsage } from './commit-usage.ts';
import { ParseMessages } from './parse-messages.ts';
import './stages.ts';

export interface UsageGraphOptions {
  /** Comes from the feed: every message that enters the graph belongs to it. */
  readonly namespace: string;
  /** Where the sink finds its database, warehouse and topic on the worker. */
  readonly runtimeName: string;
  /** How deliveries are gathered into commits; the bundle itself where there is nothing to shuffle. */
  readonly group?: (deliveries: PCollection<Delivery>) => PCollection<Delivery>;
}

/** The usage graph of every mode: messages in, committed usage out. Only its source and the grouping differ between modes. */
export function buildUsageGraph(
  messages: PCollection<Message>,
  { namespace, runtimeName, group }: UsageGraphOptions,
): void {
  const deliveries = apply('parse', messages, syncParDo(new ParseMessages(namespace)));
  apply('commit', group ? group(deliveries) : deliveries, asyncParDo(new CommitUsage(runtimeName)));
}
