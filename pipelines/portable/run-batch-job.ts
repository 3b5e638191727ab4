import { systemScheduler } from '#infra/scheduler.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { openBatchStores } from '#pipelines/batch/open-stores.ts';
import { readWorkerSettings } from '#pipelines/fleet/settings.ts';
import { runBatch, runJobOn, type BatchEngineOptions, type BatchKind } from './batch/run.ts';
import { engineSettingsOf } from './engine-settings.ts';
import { openEngine, type PipelineEngine } from './open-engine.ts';
import type { PipelineArguments } from './pipeline-arguments.ts';
import { processWorkers } from './worker-environment.ts';

export interface BatchRun {
  readonly args: PipelineArguments & {
    readonly runner: 'embedded' | 'prism' | 'flink';
    readonly batch: BatchKind;
  };
  readonly environment: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Does the batch work of one kind that is open: on the engine, or with `embedded` in this process. Resolves when there is none left that this process
 * could do. Throws what the settings or the engine are wrong with, and the error of work that could not be done.
 */
export async function runBatchJob({ args, environment, say, signal }: BatchRun): Promise<void> {
  const scheduler = systemScheduler;
  const log = createLog(readWorkerSettings(environment).logLevel);
  const stores = await openBatchStores({ environment, clock: scheduler.now });
  try {
    const { database, warehouse } = stores;
    const { batch: what, runner } = args;
    const engine =
      runner === 'embedded'
        ? undefined
        : await openEngine(engineSettingsOf({ args: { ...args, runner }, environment, say }));
    try {
      const runJob = engine && runJobOn(batchEngineOf(engine, environment));
      await runBatch({ what, runJob, database, warehouse, scheduler, log, signal });
    } finally {
      await engine?.close();
    }
  } finally {
    await stores.close();
  }
}

const batchEngineOf = (engine: PipelineEngine, environment: NodeJS.ProcessEnv): BatchEngineOptions => ({
  engine,
  environment: processWorkers(environment),
  options: engine.options,
});
