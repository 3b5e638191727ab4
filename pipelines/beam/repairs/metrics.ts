import { expectInternal, replaceMethod } from '../sdk-moved.ts';
import { metrics } from '../sdk.ts';

interface MetricCell {
  is_set: boolean;
  readonly value: { reset(): void };
  reset(): void;
}

/** Between bundles the SDK only forgets that a metric was set and keeps its value: a counter reported the sum of all bundles, each time. */
export function repairMetrics(): void {
  const cell = expectInternal(new metrics.MetricsContainer().elementCountMetric('probe'), 'a metric cell');
  replaceMethod(Object.getPrototypeOf(cell) as MetricCell, 'reset', 0, function (this: MetricCell) {
    this.is_set = false;
    this.value.reset();
  });
}
