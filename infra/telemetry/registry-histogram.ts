import type { Metric, Registry } from 'prom-client';
import { delayValues, type DelayHistogram } from './delay-histogram.ts';

/** Puts a histogram that was counted elsewhere into a registry, in place of the one of that name. */
export function registerDelays(
  registry: Registry,
  { name, help }: { readonly name: string; readonly help: string },
  delays: Readonly<Pick<DelayHistogram, 'counts' | 'sum'>>,
): void {
  registry.removeSingleMetric(name);
  const measured = { name, help, type: 'histogram', aggregator: 'sum', values: delayValues(name, delays) };
  // prom-client asks a metric for no more than this; its own histogram can only observe, not be set.
  registry.registerMetric({ ...measured, get: async () => measured } as unknown as Metric);
}
