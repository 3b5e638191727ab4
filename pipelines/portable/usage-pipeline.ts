import type { Database } from '#infra/database/database.ts';
import { workersBelow } from '#infra/engines/worker-processes.ts';
import { readFeeds } from '#infra/usage/watermark.ts';
import type { EngineSettings, PipelineEngine } from './open-engine.ts';
import { openEngine } from './open-engine.ts';
import { submitUsage, type UsageJobSettings } from './submit.ts';
import type { Supervised } from './supervisor.ts';

export interface UsagePipelineSettings {
  readonly engine: EngineSettings;
  readonly job: UsageJobSettings;
  readonly database: Database;
}

/** The usage job and its engine, for a supervisor. */
export interface UsagePipeline extends Supervised {
  /** Ends the job, having worked off what it has read where the engine can do that, and the engine, if it was started here. */
  stop(): Promise<void>;
}

/** Opens the engine; nothing is submitted yet. Throws as `openEngine` does. */
export async function openUsagePipeline({
  engine: settings,
  job,
  database,
}: UsagePipelineSettings): Promise<UsagePipeline> {
  let current = watched(await openEngine(settings));
  return {
    name: job.name,
    runner: settings.runner,
    submit: async () => {
      if (current.end !== undefined) {
        await current.engine.close();
        current = watched(await openEngine(settings));
      }
      return submitUsage(current.engine, job);
    },
    clear: async () => {
      if (current.end === undefined) await current.engine.stopJob(job.name);
    },
    engineEnd: () => current.end,
    workers: async () => (await workersBelow(current.engine.pids))?.length,
    engineRestarts: () => current.engine.restarts(job.name),
    readFeeds: () => readFeeds(database),
    page: () => current.engine.page(job.name),
    stop: async () => {
      try {
        if (current.end === undefined) await current.engine.stopJob(job.name, { drain: true });
      } finally {
        await current.engine.close();
      }
    },
  };
}

function watched(engine: PipelineEngine): { readonly engine: PipelineEngine; end: string | undefined } {
  const of: ReturnType<typeof watched> = { engine, end: undefined };
  void engine.exited.then((reason) => (of.end = reason));
  return of;
}
