import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { addMetricSource } from '#infra/telemetry/measured-metrics.ts';
import { serveHealth } from '#pipelines/fleet/health.ts';
import { readWorkerSettings } from '#pipelines/fleet/settings.ts';
import { engineSettingsOf } from './engine-settings.ts';
import { openEngine, type EngineSettings } from './open-engine.ts';
import { openWatchedStores } from './open-watched-stores.ts';
import type { PipelineArguments } from './pipeline-arguments.ts';
import { createPipelineMetrics } from './pipeline-metrics.ts';
import type { PipelineStatus } from './pipeline-status.ts';
import { policyFor } from './supervision.ts';
import { supervise } from './supervisor.ts';
import { createStatusTeller, type StatusOutput } from './tell-status.ts';
import { openUsagePipeline } from './usage-pipeline.ts';

export interface PipelineRun {
  readonly args: PipelineArguments & { readonly runner: 'prism' | 'flink' };
  readonly environment: NodeJS.ProcessEnv;
  readonly output: StatusOutput;
  /** Told what takes long, and what people should know, in a sentence. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly scheduler?: Scheduler;
}

const DEFAULT_NAME = 'usage';

/**
 * Runs the usage job on an engine until the signal comes, and then ends it. Resolves with the exit status: 0 when it was told to stop, 1 when
 * its failures went on repeating. Throws what the settings, the engine or the first submission are wrong with.
 */
export async function runPipeline(run: PipelineRun): Promise<number> {
  const { args, environment, signal, output, scheduler = systemScheduler } = run;
  const { name = DEFAULT_NAME, drain, json, readers } = args;
  if (drain) return drainJob(engineSettingsOf(run), name);
  const settings = readWorkerSettings(environment);
  const log = createLog(settings.logLevel);
  const { stores, stillMs } = await openWatchedStores(environment, scheduler);
  const teller = createStatusTeller(output, { json, now: scheduler.now });
  const watch = createWatching(teller.tell);
  const health = await serveHealth(watch, settings.health);
  try {
    const job = { name, environment, ...(readers !== undefined && { readers }) };
    const pipeline = await openUsagePipeline({
      engine: engineSettingsOf(run),
      job,
      database: stores.database,
    });
    try {
      const policy = policyFor(args.runner, stillMs);
      const end = await supervise(pipeline, { policy, scheduler, log, ...watch }, signal);
      teller.end();
      return end === 'stopped' ? 0 : 1;
    } finally {
      await pipeline.stop();
    }
  } finally {
    watch.end();
    await health.close();
    await stores.close();
  }
}

/** Whatever the job has in hand is committed and acknowledged, or comes again. */
async function drainJob(settings: EngineSettings, name: string): Promise<number> {
  const engine = await openEngine(settings);
  await engine.stopJob(name, { drain: true });
  return 0;
}

/** What the supervisor tells, for the health port, the exporter and whoever reads the output. */
function createWatching(tellFurther: (status: PipelineStatus) => void) {
  const metrics = createPipelineMetrics();
  const end = addMetricSource(metrics.measured);
  let status: PipelineStatus | undefined;
  return {
    tell: (told: PipelineStatus): void => {
      status = told;
      metrics.note(told);
      tellFurther(told);
    },
    alarmed: metrics.alarmed,
    notReady: (): string | undefined => {
      if (status?.state !== 'RUNNING') return `the job is ${status?.state ?? 'not submitted yet'}`;
      return status.alarm;
    },
    metrics: metrics.read,
    end: (): void => void end(),
  };
}
