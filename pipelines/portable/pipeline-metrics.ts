import { Counter, Gauge, Registry } from 'prom-client';
import type { MeasuredMetric } from '#infra/telemetry/measured-metrics.ts';
import type { PipelineStatus } from './pipeline-status.ts';

/** What the supervisor of a job measures: for its health port, and for an exporter. */
export interface PipelineMetrics {
  note(status: PipelineStatus): void;
  /** An alarm has begun. */
  alarmed(): void;
  read(): Promise<{ readonly contentType: string; readonly text: string }>;
  measured(): Promise<readonly MeasuredMetric[]>;
}

export function createPipelineMetrics(): PipelineMetrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `millrace_portable_${name}`, help, registers });
  const up = gauge('job_up', '1 while the runner says that the job runs.');
  const lag = gauge('lag_seconds', 'Now less what everything is committed through.');
  const age = gauge('last_commit_age_seconds', 'Since the watermark was last seen to advance.');
  const restarts = gauge('restarts', 'How often the job was submitted or started again.');
  const workers = gauge('workers', 'Worker processes that live, where they can be seen.');
  const alarm = gauge('alarm', '1 while somebody has to look.');
  const alarms = new Counter({
    name: 'millrace_portable_alarms_total',
    help: 'Alarms that began.',
    registers,
  });
  return {
    note: (status) => {
      up.set(status.state === 'RUNNING' ? 1 : 0);
      age.set(status.commitAgeMs / 1_000);
      restarts.set(status.restarts);
      alarm.set(status.alarm === undefined ? 0 : 1);
      setOrRemove(lag, status.lagMs === undefined ? undefined : status.lagMs / 1_000);
      setOrRemove(workers, status.workers);
    },
    alarmed: () => alarms.inc(),
    read: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    measured: async () => (await registry.getMetricsAsJSON()) as unknown as MeasuredMetric[],
  };
}

/** What is not known is absent: a zero would be a figure. */
function setOrRemove(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}
