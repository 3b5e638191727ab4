import type { Metric, Registry } from 'prom-client';
import { delayValues, type DelayHistogram } from './delay-histogram.ts';
import type { MeasuredMetric } from './measured-metrics.ts';

/** Puts a histogram that was counted elsewhere into a registry, in place of the one of that name. */
export function registerDelays(
  registry: Registry,
  { name, help }: { readonly name: string; readonly help: string },
  delays: Readonly<Pick<DelayHistogram, 'counts' | 'sum'>>,
): void {
  registry.removeSingleMetric(name);
  const declared = { name, help, type: 'histogram', aggregator: 'sum' };
  const measured = { ...declared, values: delayValues(name, delays) };
  registerCounted(registry, declared, () => measured);
}

/** Puts a metric into a registry that is counted elsewhere, and asked for its values each time somebody reads it. */
export function registerCounted(
  registry: Registry,
  declared: Omit<MeasuredMetric, 'values'>,
  measure: () => MeasuredMetric,
): void {
  // prom-client asks a metric for no more than this; its own ones can only observe, not be set.
  registry.registerMetric({ ...declared, get: async () => measure() } as unknown as Metric);
}
