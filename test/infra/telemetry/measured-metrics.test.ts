import { expect } from 'chai';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { countDelay, emptyDelays } from '#infra/telemetry/delay-histogram.ts';
import { addMetricSource, exportMeasured, type MeasuredMetric } from '#infra/telemetry/measured-metrics.ts';
import { registerDelays } from '#infra/telemetry/registry-histogram.ts';

const measuredOf = async (registry: Registry): Promise<readonly MeasuredMetric[]> =>
  (await registry.getMetricsAsJSON()) as unknown as MeasuredMetric[];

async function exported(registry: Registry): Promise<MetricData[]> {
  const remove = addMetricSource(() => measuredOf(registry));
  try {
    const producer = exportMeasured(resourceFromAttributes({}), [1, 0], () => [2, 0]);
    const { resourceMetrics, errors } = await producer.collect();
    expect(errors).to.deep.equal([]);
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
  } finally {
    remove();
  }
}

const points = (metrics: readonly MetricData[], name: string) =>
  metrics
    .find(({ descriptor }) => descriptor.name === name)
    ?.dataPoints.map(({ attributes, value }) => ({ attributes, value }));

describe('metrics that are exported', () => {
  it('are those of GET /metrics, value by value', async () => {
    const registry = new Registry();
    const registers = [registry];
    new Counter({ name: 'a_total', help: 'a', labelNames: ['kind'], registers }).inc({ kind: 'x' }, 3);
    new Gauge({ name: 'b_bytes', help: 'b', registers }).set(-1.5);
    const metrics = await exported(registry);
    expect(points(metrics, 'a_total')).to.deep.equal([{ attributes: { kind: 'x' }, value: 3 }]);
    expect(points(metrics, 'b_bytes')).to.deep.equal([{ attributes: {}, value: -1.5 }]);
    expect(metrics.map(({ dataPointType }) => dataPointType)).to.deep.equal([
      DataPointType.SUM,
      DataPointType.GAUGE,
    ]);
    expect(metrics.map(({ descriptor }) => descriptor.unit)).to.deep.equal(['1', 'By']);
  });

  it('have in each bucket of a histogram what lies in it, for each series by itself', async () => {
    const registry = new Registry();
    const one = new Histogram({
      name: 'h_seconds',
      help: 'h',
      labelNames: ['route'],
      buckets: [1, 2],
      registers: [registry],
    });
    for (const value of [0.5, 1.5, 1.7, 9]) one.observe({ route: 'x' }, value);
    one.observe({ route: 'y' }, 1);
    expect(points(await exported(registry), 'h_seconds')).to.deep.equal([
      {
        attributes: { route: 'x' },
        value: { buckets: { boundaries: [1, 2], counts: [1, 2, 1] }, sum: 12.7, count: 4 },
      },
      {
        attributes: { route: 'y' },
        value: { buckets: { boundaries: [1, 2], counts: [1, 0, 0] }, sum: 1, count: 1 },
      },
    ]);
  });

  it('tell of delays counted elsewhere exactly what was counted', async () => {
    const registry = new Registry();
    const delays = emptyDelays();
    for (const seconds of [0.004, 0.01, 0.3, 31, 4_000]) countDelay(delays, seconds);
    registerDelays(registry, { name: 'd_seconds', help: 'd' }, delays);
    expect(await registry.metrics())
      .to.include('d_seconds_bucket{le="30"} 3')
      .and.include('d_seconds_count 5');
    const [point] = points(await exported(registry), 'd_seconds') ?? [];
    expect(point?.value).to.have.nested.property('count', 5);
    expect(point?.value).to.have.nested.property('buckets.counts').deep.equal(delays.counts);
  });

  it('count a delay that several events had as often as if each came by itself', () => {
    const together = emptyDelays();
    countDelay(together, 0.5, 3);
    countDelay(together, 40, 0);
    const alone = emptyDelays();
    for (let i = 0; i < 3; i++) countDelay(alone, 0.5);
    expect(together).to.deep.equal(alone);
  });

  it('of a source that fails are left out, and the others are there', async () => {
    const remove = addMetricSource(() => Promise.reject(new Error('is gone')));
    const registry = new Registry();
    new Gauge({ name: 'still_there', help: 'g', registers: [registry] }).set(1);
    const removeOther = addMetricSource(() => measuredOf(registry));
    const { resourceMetrics, errors } = await exportMeasured(resourceFromAttributes({}), [1, 0], () => [
      2, 0,
    ]).collect();
    remove();
    removeOther();
    expect(errors).to.have.length(1);
    expect(resourceMetrics.scopeMetrics[0]?.metrics.map(({ descriptor }) => descriptor.name)).to.include(
      'still_there',
    );
  });
});
