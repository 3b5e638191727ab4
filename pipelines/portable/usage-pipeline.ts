import type { Database } from '#infra/database/database.ts';
import { workersBelow } from '#infra/engines/worker-processes.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { readFeeds } from '#infra/usage/watermark.ts';
import type { Log } from '#pipelines/runner/log.ts';
import { drainJob } from './drain-job.ts';
import type { EngineSettings, PipelineEngine } from './open-engine.ts';
import { openEngine } from './open-engine.ts';
import { submitUsage, type UsageJobSettings } from './submit.ts';
import type { Supervised } from './supervisor.ts';

export interface UsagePipelineSettings {
  readonly engine: EngineSettings;
  readonly job: UsageJobSettings;
  readonly database: Database;
  readonly scheduler: Scheduler;
  readonly log: Log;
}

/** The usage job and its engine, for a supervisor. */
export interface UsagePipeline extends Supervised {
  /** Ends the job, drained or as it stands, and the engine, if it was started here. */
  stop(how: 'drained' | 'at once'): Promise<void>;
}

/** Opens the engine; nothing is submitted yet. Throws as `openEngine` does. */
export async function openUsagePipeline({
  engine: settings,
  job,
  database,
  scheduler,
  log,
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
    stop: async (how) => {
      const stopJob = (): Promise<void> => current.engine.stopJob(job.name);
      try {
        if (current.end !== undefined) return;
        // What Java reads is drained by nobody: it hears of no drain of ours, and Flink's own waits for our steps without an end.
        if (how === 'at once' || current.engine.javaReading !== undefined) await stopJob();
        else await drainJob({ job: job.name, database, scheduler, log, say: settings.say }, stopJob);
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
