import { systemScheduler, type Scheduler } from '#infra/scheduler.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { addMetricSource } from '#infra/telemetry/measured-metrics.ts';
import { serveHealth } from '#pipelines/fleet/health.ts';
import { readWorkerSettings } from '#pipelines/fleet/settings.ts';
import type { Log } from '#pipelines/runner/log.ts';
import { drainJob } from './drain-job.ts';
import { engineSettingsOf } from './engine-settings.ts';
import { javaReportsMs } from './java-read.ts';
import { keepMoving } from './keep-moving.ts';
import { openEngine } from './open-engine.ts';
import { openWatchedStores } from './open-watched-stores.ts';
import type { PipelineArguments } from './pipeline-arguments.ts';
import { createPipelineMetrics } from './pipeline-metrics.ts';
import type { PipelineStatus } from './pipeline-status.ts';
import { policyFor } from './supervision.ts';
import { supervise, type SupervisionEnd } from './supervisor.ts';
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
  const settings = readWorkerSettings(environment);
  const log = createLog(settings.logLevel);
  const reportsMs = args.read === undefined ? 0 : javaReportsMs(environment);
  const { stores, stillMs } = await openWatchedStores(environment, scheduler);
  if (drain) return drainAndEnd(run, { stores, scheduler, log });
  const teller = createStatusTeller(output, { json, now: scheduler.now });
  const watch = createWatching(teller.tell);
  const health = await serveHealth(watch, settings.health);
  const moving = args.read === undefined ? undefined : keepMoving(stores.feeds, { scheduler, log });
  try {
    const job = { name, environment, ...(readers !== undefined && { readers }) };
    const pipeline = await openUsagePipeline({
      engine: engineSettingsOf(run),
      job,
      ...{ database: stores.database, scheduler, log },
    });
    let end: SupervisionEnd | undefined;
    try {
      const policy = policyFor(args.runner, stillMs, reportsMs);
      end = await supervise(pipeline, { policy, scheduler, log, ...watch }, signal);
      teller.end();
      return end === 'stopped' ? 0 : 1;
    } finally {
      // A job that fails again and again holds nothing that waiting would help.
      await pipeline.stop(end === 'stopped' ? 'drained' : 'at once');
    }
  } finally {
    watch.end();
    await moving?.stop();
    await health.close();
    await stores.close();
  }
}

interface Drain {
  readonly stores: OpenedStores;
  readonly scheduler: Scheduler;
  readonly log: Log;
}

/** Of a job on an engine that runs elsewhere, whoever has submitted it. */
async function drainAndEnd(run: PipelineRun, { stores, scheduler, log }: Drain): Promise<number> {
  const { name = DEFAULT_NAME } = run.args;
  try {
    const engine = await openEngine(engineSettingsOf(run));
    const drain = { job: name, database: stores.database, scheduler, log, say: run.say };
    await drainJob(drain, () => engine.stopJob(name));
    return 0;
  } finally {
    await stores.close();
  }
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
