import type { Services } from '../services.ts';
import type { PipelineReport } from './pipeline-reports.ts';

/**
 * Brings the pipeline's metrics up to date with its last report. Where none runs beside this API everything but `millrace_pipeline_up` is
 * left out: figures of a dead process would look alive.
 */
export function measurePipeline({ metrics, pipeline }: Pick<Services, 'metrics' | 'pipeline'>): void {
  const { latest } = pipeline;
  const one = (value: number | undefined) => (value === undefined ? [] : [{ labels: {}, value }]);
  metrics.setGauge(
    'millrace_pipeline_up',
    'Whether a pipeline reports to this process.',
    one(latest ? 1 : 0),
  );
  metrics.setGauge('millrace_pipeline_resident_bytes', 'Memory of the pipeline.', one(latest?.residentBytes));
  metrics.setCounter(
    'millrace_pipeline_cpu_seconds_total',
    'CPU the pipeline has used.',
    one(cpuSeconds(latest)),
  );
  for (const [name, counted] of Object.entries(latest?.counters ?? lastKnown(pipeline.counterNames)))
    if (isHistogram(counted)) metrics.setHistogram(`millrace_usage_${name}`, HELP, counted);
    else metrics.setCounter(`millrace_usage_${name}`, HELP, valuesOf(counted));
}

const HELP = 'What the pipeline did since it started.';

type Counted = PipelineReport['counters'][string];
type CountedDelays = Extract<Counted, { readonly counts: readonly number[] }>;

const isHistogram = (counted: Counted): counted is CountedDelays =>
  typeof counted === 'object' && Array.isArray(counted.counts);

const cpuSeconds = (report: PipelineReport | undefined): number | undefined =>
  report && (report.cpuMicros.user + report.cpuMicros.system) / 1_000_000;

/** Some counters are kept by reason. */
const valuesOf = (counted: Exclude<Counted, CountedDelays>) =>
  typeof counted === 'number'
    ? [{ labels: {}, value: counted }]
    : Object.entries(counted).map(([reason, value]) => ({ labels: { reason }, value }));

/** Counters without a value, so that what was told of a pipeline that has ended goes. */
const lastKnown = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]));
