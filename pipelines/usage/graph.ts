import type { Message } from '#infra/topic/topic.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import type { NamespaceRule } from '#infra/usage/feed.ts';
import { asyncParDo, type AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import { apply } from '#pipelines/beam/graph.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { CommitUsage } from './commit-usage.ts';
import { ParseMessages } from './parse-messages.ts';
import './stages.ts';

export interface UsageGraphOptions<Mark = never> {
  /** Whose the messages that enter the graph are: the rule of their feed. */
  readonly namespaces: NamespaceRule;
  /** Where the sink finds its database, warehouse and topic on the worker. */
  readonly runtimeName: string;
  /** How deliveries are gathered into commits; the bundle itself where there is nothing to shuffle. */
  readonly group?: (deliveries: PCollection<Delivery>) => PCollection<Delivery>;
  /** What commits them, where it is not `CommitUsage`. */
  readonly sink?: AsyncDoFn<Delivery, Mark>;
  /** Goes before the names of the steps where a pipeline has one such graph for each of its feeds. */
  readonly prefix?: string;
}

/**
 * The usage graph of every mode: messages in, committed usage out. Only its source and the grouping differ between modes. Returns what its sink
 * says of what it has committed: nothing, mostly.
 */
export function buildUsageGraph<Mark = never>(
  messages: PCollection<Message>,
  {
    namespaces,
    runtimeName,
    group,
    sink = new CommitUsage(runtimeName),
    prefix = '',
  }: UsageGraphOptions<Mark>,
): PCollection<Mark> {
  const deliveries = apply(`${prefix}parse`, messages, syncParDo(new ParseMessages(namespaces)));
  return apply(`${prefix}commit`, group ? group(deliveries) : deliveries, asyncParDo(sink));
}
