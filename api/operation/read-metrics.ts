import type { Metrics } from '../http/metrics.ts';
import type { Services } from '../services.ts';
import { measurePipeline } from './measure-pipeline.ts';
import { measureStores } from './measure-stores.ts';

/** The metrics of this process and its pipeline, brought up to date. */
export async function readMetrics(services: Services): Promise<Metrics> {
  await measureStores(services);
  measurePipeline(services);
  return services.metrics;
}
